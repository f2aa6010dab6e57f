#include "lab/h2_exchange.hpp"

#include <string>

namespace edgecase::lab {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void H2Exchange::answer(std::string_view status, std::string_view body,
                        const std::vector<Field>& more_fields) {
    if (!read_body()) return;
    std::vector<Field> fields{{":status", std::string(status)},
                              {"server", "edgecase-lab"},
                              {"content-type", "text/plain; charset=utf-8"},
                              {"content-length", std::to_string(body.size())}};
    fields.insert(fields.end(), more_fields.begin(), more_fields.end());
    const bool is_whole = body.empty() || request_.is_head();
    if (!send(h2::headers(stream_id(), fields, is_whole ? h2::kEndStream : h2::kNoFlags))) return;
    if (!is_whole) send_data(body, true);
}

bool H2Exchange::send_filler(size_t bytes, bool is_last) {
    std::string text;
    while (text.size() < bytes) text += "This line is filler sent by edgecase lab over HTTP/2...\n";
    text.resize(bytes);
    return send_data(text, is_last);
}

bool H2Exchange::pause(milliseconds duration) {
    const auto until = steady_clock::now() + duration;
    while (true) {
        if (connection_.is_reset(stream_id()) || !connection_.is_alive()) return false;
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        if (left.count() <= 0) return true;
        if (!connection_.pump(left)) return false;
    }
}

void H2Exchange::perform(const Scenario& scenario) {
    if (scenario.serve_h2 != nullptr) return scenario.serve_h2(*this);
    if (read_body()) send(scenario.frames(stream_id()));
}

void H2Exchange::fall_silent() {
    connection_.fall_silent();
    const auto until = steady_clock::now() + kPatience;
    while (steady_clock::now() < until && connection_.pump(kPatience)) {
    }
}

}  // namespace edgecase::lab
