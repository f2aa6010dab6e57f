// Owns the evidence that several judgements share: what TCP knows, and how a message broke a rule.
#pragma once

#include "cause/evidence.hpp"
#include "h1/rule.hpp"
#include "net/tcp_facts.hpp"

namespace edgecase::origin {

void add_tcp(cause::Evidence& evidence, const net::TcpFacts& facts);

/// Rule, offset, field, values, limits and the sample. The client's side uses it too.
void add_parse_error(cause::Evidence& evidence, const h1::ParseError& error);

}  // namespace edgecase::origin
