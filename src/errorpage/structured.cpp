#include "errorpage/structured.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace edgecase::errorpage {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
    constexpr bool kAsciiOnly = true;
    return json.dump(-1, ' ', kAsciiOnly, Json::error_handler_t::replace);
}

/// The members both forms share, in Cloudflare's order.
Json facts(const Subject& subject, base::WallTime time) {
    Json json;
    json["error_code"] = subject.status.error_code;
    json["error_name"] = subject.status.name;
    json["error_category"] = subject.status.category;
    json["status"] = subject.status.code;
    json["ray_id"] = subject.ray;
    json["timestamp"] = utc(time, 'T') + 'Z';
    json["zone"] = subject.host;
    json["cloudflare_error"] = true;
    json["edgecase_error"] = true;
    json["retryable"] = subject.retryable;
    if (subject.retryable) json["retry_after"] = subject.status.retry_after_s;
    json["owner_action_required"] = subject.owner_action_required;
    return json;
}

}  // namespace

std::string json_body(const Subject& subject, base::WallTime time) {
    Json json;
    json["type"] = fmt::format("urn:edgecase:error:{}", subject.status.error_code);
    json["title"] = subject.heading();
    json["status"] = subject.status.code;
    json["detail"] = subject.what_happened;
    json["instance"] = subject.ray;
    json.update(facts(subject, time));
    json["what_you_should_do"] =
        fmt::format("{} If you run this website: {} Run `{}`.", subject.visitor_advice,
                    subject.owner_advice, subject.owner_command);
    json["footer"] = kFooter;
    return dump(json) + '\n';
}

std::string markdown_body(const Subject& subject, base::WallTime time) {
    std::string text = "---\n";
    // A JSON scalar is a YAML scalar; strings stay quoted, or a Ray ID such as 7e10 became a
    // number.
    const Json json = facts(subject, time);
    for (const auto& [key, value] : json.items()) {
        text += fmt::format("{}: {}\n", key, dump(value));
    }
    text += fmt::format("---\n\n# {}\n\n## What Happened\n\n{}\n\n", subject.heading(),
                        subject.what_happened);
    text += fmt::format("## What You Should Do\n\n{}\n\nIf you run this website: {} Run `{}`.\n\n",
                        subject.visitor_advice, subject.owner_advice, subject.owner_command);
    text += fmt::format("---\n\n{}\n", kFooter);
    return text;
}

}  // namespace edgecase::errorpage
