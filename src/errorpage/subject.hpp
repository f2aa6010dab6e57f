// Owns what every media type says of an error: the same words, cleaned of what a client could
// inject.
#pragma once

#include <string>
#include <string_view>

#include "cause/table.hpp"
#include "errorpage/error_page.hpp"

namespace edgecase::errorpage {

struct Subject {
    cause::Status status{};
    std::string host;  // printable ASCII, bounded; still to be escaped
    std::string colo;  // likewise
    std::string ray;
    std::string what_happened;
    std::string visitor_advice;
    std::string owner_advice;  // without the command
    std::string owner_command;
    bool retryable = false;
    bool owner_action_required = false;

    /// "Error 520: Web server is returning an unknown error"
    std::string heading() const;
};

inline constexpr size_t kHostMaximum = 259;  // a DNS name (253) and a port
inline constexpr size_t kColoMaximum = 16;

inline constexpr std::string_view kFooter =
    "This error was made by Edgecase, the edge in front of this website, on behalf of the "
    "website owner.";

Subject subject_of(const PageInput& input);

/// `YYYY-MM-DD` + `separator` + `HH:MM:SS`, in UTC.
std::string utc(base::WallTime time, char separator);

}  // namespace edgecase::errorpage
