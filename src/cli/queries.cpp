#include "cli/queries.hpp"

#include <nlohmann/json.hpp>

#include "base/ascii.hpp"
#include "base/clock.hpp"
#include "cli/annotate.hpp"
#include "cli/case_text.hpp"
#include "cli/console.hpp"
#include "cli/exit_status.hpp"
#include "cli/explain_text.hpp"
#include "cli/filter_flags.hpp"
#include "cli/words_text.hpp"
#include "lexicon/lookup.hpp"
#include "record/case_json.hpp"

namespace edgecase::cli {
namespace {

record::Secrets secrets(bool shown) {
    return shown ? record::Secrets::shown : record::Secrets::redacted;
}

}  // namespace

int run_ray(const RayFlags& flags) {
    // Pasted from a page that shows it in capitals it is still the same number.
    std::string text = flags.ray;
    for (char& c : text) c = base::lower(c);
    const auto ray = record::RayId::parse(text);
    if (!ray) {
        complain("\"" + flags.ray + "\" is not a Ray ID: 16 lower-case hex digits, perhaps with -" +
                 "COLO");
        return kUsage;
    }
    int status = kFine;
    const auto source = open_source(flags.ledger, status);
    if (!source) return status;
    const auto found = source->find(*ray);
    if (!found) {
        complain(found.error());
        return kWrongOrMissing;
    }
    if (!*found) {
        tell_missing(*source);
        complain("no record of ray " + ray->to_string() + " in " + ledger_name(flags.ledger));
        return kWrongOrMissing;
    }
    if (flags.json) {
        print(record::case_json(**found, secrets(flags.show_secrets)).dump(2) + "\n");
    } else {
        print(case_text(**found, wants_colour(), secrets(flags.show_secrets)));
    }
    return kFine;
}

int run_cases(const CasesFlags& flags) {
    record::CaseFilter filter;
    if (!flags.since.empty()) {
        const auto since = moment_of("--since", flags.since, base::SystemClock().wall_now());
        if (!since) {
            complain(since.error());
            return kUsage;
        }
        filter.since = *since;
    }
    if (const auto known = check_cause(flags.cause); !known) {
        complain(known.error());
        return kUsage;
    }
    if (flags.status != 0) filter.status = static_cast<uint16_t>(flags.status);
    filter.cause = flags.cause;
    filter.host = flags.host;
    filter.path = flags.path;
    filter.node = flags.ledger.node;
    filter.limit = flags.limit;
    int status = kFine;
    const auto source = open_source(flags.ledger, status);
    if (!source) return status;
    const auto found = source->cases(filter);
    if (!found) {
        complain(found.error());
        return kWrongOrMissing;
    }
    tell_missing(*source);
    if (flags.json) {
        nlohmann::ordered_json rows = nlohmann::ordered_json::array();
        for (const record::Record& record : *found) {
            rows.push_back(record::case_json(record, secrets(flags.show_secrets)));
        }
        print(rows.dump(2) + "\n");
    } else if (found->empty()) {
        print("no cases\n");
    } else {
        print(case_list_text(*found, wants_colour()));
    }
    return kFine;
}

namespace {

// Our own statuses and causes come first, then what the word means elsewhere.

int explain_as_json(const std::string& what) {
    const auto own = explain_json(what);
    if (own) {
        print(own->dump(2) + "\n");
        return kFine;
    }
    const auto matches = lexicon::look_up(what);
    if (matches.empty()) {
        complain(own.error());
        return kWrongOrMissing;
    }
    print(words_json(what, matches).dump(2) + "\n");
    return kFine;
}

int explain_as_text(const std::string& what, bool colour) {
    const auto own = explain_text(what, colour);
    const auto matches = lexicon::look_up(what);
    if (!own && matches.empty()) {
        complain(own.error());
        return kWrongOrMissing;
    }
    if (own) print(*own);
    if (own && !matches.empty()) print("\nElsewhere:\n\n");
    print(words_text(matches, colour));
    return kFine;
}

}  // namespace

int run_explain(const ExplainFlags& flags) {
    const bool colour = wants_colour();
    if (flags.list && flags.words) {
        print(flags.json ? word_list_json().dump(2) + "\n" : word_list_text(colour));
        return kFine;
    }
    if (flags.list) {
        print(flags.json ? explain_list_json().dump(2) + "\n" : explain_list_text(colour));
        return kFine;
    }
    if (flags.what.empty()) {
        complain(
            "explain wants a status, a cause, another system's word, a log line or -; or --list");
        return kUsage;
    }
    if (flags.what == "-") {
        annotate_standard_input(colour, flags.json);
        return kFine;
    }
    return flags.json ? explain_as_json(flags.what) : explain_as_text(flags.what, colour);
}

}  // namespace edgecase::cli
