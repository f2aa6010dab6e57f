#include "probe/facts.hpp"

namespace edgecase::probe {

std::string_view to_string(Report::State state) {
    switch (state) {
        case Report::State::good:
            return "good";
        case Report::State::advice:
            return "advice";
        case Report::State::bad:
            return "bad";
        case Report::State::skipped:
            return "skipped";
    }
    return "";
}

}  // namespace edgecase::probe
