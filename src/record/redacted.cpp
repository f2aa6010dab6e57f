#include "record/redacted.hpp"

#include <utility>

#include "record/redact_uri.hpp"
#include "record/summary.hpp"

namespace edgecase::record {
namespace {

struct Redacting {
    cause::Evidence& into;
    const std::string& key;

    void operator()(int64_t number) const { into.add(key, number); }
    void operator()(bool flag) const { into.add(key, flag); }
    void operator()(const std::string& text) const { into.add(key, redact_evidence_text(text)); }
    void operator()(const base::Sample& sample) const { into.add(key, base::redact(sample)); }
    void operator()(std::vector<std::string> texts) const {
        for (std::string& text : texts) text = redact_evidence_text(text);
        into.add(key, std::move(texts));
    }
};

void redact(cause::Evidence& evidence) {
    if (evidence.empty()) return;
    cause::Evidence redacted;
    for (const auto& [key, value] : evidence.items()) std::visit(Redacting{redacted, key}, value);
    evidence = std::move(redacted);
}

}  // namespace

void redact(Record& record) {
    for (std::string* const text : {&record.host, &record.uri, &record.sni, &record.user_agent,
                                    &record.referer, &record.content_type, &record.origin_url}) {
        if (!text->empty()) *text = redact_uri(*text);
    }
    redact(record.evidence);
    for (Attempt& attempt : record.attempts) redact(attempt.evidence);
}

}  // namespace edgecase::record
