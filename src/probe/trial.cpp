#include "probe/trial.hpp"

namespace edgecase::probe {

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::plain:
            return "plain";
        case Kind::varied:
            return "varied";
        case Kind::provoked:
            return "provoked";
    }
    return "";
}

cause::Cause Trial::cause() const {
    if (failure) return failure->cause();
    return answer.status >= 500 ? cause::Cause::origin_status : cause::Cause::none;
}

std::chrono::milliseconds time_of(const Trial& trial) {
    const int64_t us = trial.failure ? trial.attempt.total_us : trial.attempt.first_byte_us;
    return std::chrono::milliseconds(us < 0 ? 0 : us / 1000);
}

}  // namespace edgecase::probe
