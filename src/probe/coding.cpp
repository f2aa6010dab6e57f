#include <zlib.h>

#include <array>
#include <charconv>

#include "base/ascii.hpp"
#include "probe/probes.hpp"

namespace edgecase::probe {
namespace {

constexpr size_t kCodedBytes = 4 << 20;     // looked at
constexpr uint64_t kPlainBytes = 64 << 20;  // decoded at most: a bomb is not unpacked

/// What zlib makes of it. Errors: a sentence, with the offset.
std::string inflate_all(std::string_view coded, uint64_t& plain_bytes) {
    constexpr int kGzipOrZlib = 32 + MAX_WBITS;
    z_stream state{};
    if (inflateInit2(&state, kGzipOrZlib) != Z_OK) return "zlib could not start";
    state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(coded.data()));
    state.avail_in = static_cast<uInt>(coded.size());
    std::array<char, 32 * 1024> out{};
    int code = Z_OK;
    while (code == Z_OK && plain_bytes < kPlainBytes) {
        state.next_out = reinterpret_cast<Bytef*>(out.data());
        state.avail_out = out.size();
        code = inflate(&state, Z_NO_FLUSH);
        plain_bytes += out.size() - state.avail_out;
        // Members may follow each other. Source: RFC 1952 2.2.
        constexpr Bytef kMagic = 0x1f;
        if (code == Z_STREAM_END && state.avail_in > 0 && *state.next_in == kMagic) {
            code = inflateReset(&state);
        }
    }
    const size_t used = coded.size() - state.avail_in;
    const std::string words = state.msg == nullptr ? "" : std::string(": ") + state.msg;
    inflateEnd(&state);
    if (code == Z_STREAM_END) {
        if (used == coded.size()) return "";
        return std::to_string(coded.size() - used) + " bytes follow the end of the compressed data";
    }
    if (plain_bytes >= kPlainBytes) return "";
    if (code == Z_BUF_ERROR)
        return "the compressed data ends early, after " + std::to_string(used) + " bytes";
    return "it does not decode at offset " + std::to_string(used) + words;
}

}  // namespace

net::Task<void> probe_coding(Session& session) {
    if (session.hopeless() || session.slow() || !session.is_safe())
        co_return session.skip("coding");
    Question question;
    question.probe = "coding";
    question.kind = Kind::varied;
    question.factor = "compression";
    question.value = "gzip";
    question.method = "GET";
    question.fields.push_back({"Accept-Encoding", "gzip"});
    question.body_bytes_kept = kCodedBytes;
    const Trial* const trial = co_await session.ask(std::move(question));
    if (trial == nullptr || trial->failure || !trial->answer.head_whole) co_return;
    Report report{.name = "coding", .state = Report::State::good, .summary = {}, .facts = {}};
    CodingFacts facts;
    facts.coding = base::to_lower(trial->answer.value_of("content-encoding"));
    const origin::OwnAnswer& answer = trial->answer;
    facts.coded_bytes = answer.body_bytes;
    if (facts.coding.empty() || facts.coding == "identity") {
        report.summary = "It sends this answer uncompressed, also when gzip is accepted.";
    } else if (facts.coding != "gzip" && facts.coding != "x-gzip" && facts.coding != "deflate") {
        report.state = Report::State::advice;
        report.summary = "It answered in " + facts.coding + ", which was not asked for.";
    } else if (answer.body_bytes > kCodedBytes || !answer.whole || answer.body_bytes == 0) {
        report.state = Report::State::skipped;
        report.summary = answer.body_bytes == 0 ? "The compressed answer has no body."
                                                : "The compressed answer was not read to its end.";
    } else {
        facts.trouble = inflate_all(answer.body, facts.plain_bytes);
        if (facts.trouble.empty()) {
            report.summary = "Compressed answers decode: " + std::to_string(facts.coded_bytes) +
                             " bytes to " + std::to_string(facts.plain_bytes) + ".";
        } else {
            report.state = Report::State::bad;
            report.summary =
                "It says Content-Encoding: " + facts.coding + ", but " + facts.trouble + ".";
        }
        report.facts.add("coded_bytes", facts.coded_bytes);
        report.facts.add("plain_bytes", facts.plain_bytes);
        session.facts().coding = facts;
    }
    session.report(std::move(report));
}

}  // namespace edgecase::probe
