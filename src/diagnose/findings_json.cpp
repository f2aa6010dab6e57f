#include "diagnose/findings_json.hpp"

#include "record/case_json.hpp"
#include "record/json_text.hpp"

namespace edgecase::diagnose {

nlohmann::ordered_json findings_json(std::span<const TrafficFinding> findings) {
    using Json = nlohmann::ordered_json;
    const auto shown = [](const std::string& text) {
        return record::json_text(record::redact_uri(text));
    };
    Json array = Json::array();
    for (const TrafficFinding& one : findings) {
        const cause::Row& row = cause::row(one.cause);
        array.push_back({{"cause", row.name},
                         {"actor", to_string(row.actor)},
                         {"factor", one.factor},
                         {"value", shown(one.value)},
                         {"sentence", shown(one.sentence)},
                         {"inside_rate", one.inside_rate()},
                         {"inside_rate_low", one.interval.low},
                         {"inside_rate_high", one.interval.high},
                         {"outside_rate", one.outside_rate()},
                         {"failed", one.failed_inside},
                         {"requests", one.all_inside},
                         {"unit", one.unit()},
                         {"compared", one.compared},
                         {"confidence", one.confidence},
                         {"since", record::rfc3339(one.since)},
                         {"last", record::rfc3339(one.last)},
                         {"hidden_by_retry", one.hidden},
                         {"sample_rays", one.rays},
                         {"fix", row.fix}});
    }
    return array;
}

}  // namespace edgecase::diagnose
