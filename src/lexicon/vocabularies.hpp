// Owns the declarations of the tables that vocabularies.cpp puts together.
#pragma once

#include <span>

#include "lexicon/word.hpp"

namespace edgecase::lexicon {

std::span<const Word> akamai_words();
std::span<const Word> alb_words();
std::span<const Word> apache_phrases();
std::span<const Word> ats_words();
std::span<const Word> azure_words();
std::span<const Word> bunny_words();
std::span<const Word> cloudflare_words();
std::span<const Word> cloudfront_words();
std::span<const Word> edgeone_words();
std::span<const Word> envoy_details();
std::span<const Word> envoy_flags();
std::span<const Word> errno_texts();
std::span<const Word> errno_words();
std::span<const Word> fastly_words();
std::span<const Word> gcp_words();
std::span<const Word> go_phrases();
std::span<const Word> h2o_phrases();
std::span<const Word> haproxy_errors();
std::span<const Word> haproxy_states();
std::span<const Word> http_words();
std::span<const Word> http2_words();
std::span<const Word> kernel_phrases();
std::span<const Word> kernel_words();
std::span<const Word> nel_words();
std::span<const Word> nginx_phrases();
std::span<const Word> nginx_statuses();
std::span<const Word> proxy_status_words();
std::span<const Word> runtime_phrases();
std::span<const Word> tls_alert_words();
std::span<const Word> varnish_phrases();

// What lookup.cpp tells apart by the text behind it.
constexpr std::string_view kGoBadStatus = "malformed HTTP status code";
constexpr std::string_view kGoBadStatusLetters = "malformed HTTP status code (letters)";
constexpr std::string_view kGoBadStatusLength = "malformed HTTP status code (length)";

}  // namespace edgecase::lexicon
