#include "config/profiles.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "config/settings.hpp"

namespace edgecase::config {
namespace {

using std::chrono::seconds;

constexpr uint32_t kKiB = 1024;

// The guide's figures are the defaults of settings.hpp: this profile changes nothing.
void guide(Settings&) {}

// Source: Cloudflare's connection limits page, mid 2026. No limit on one line is stated there, so
// a line may fill the section. The warning at 90 % is ours.
void cloudflare_2026(Settings& settings) {
    Limits& limits = settings.limits;
    limits.response_header_bytes = 128 * kKiB;
    limits.response_header_warn_bytes = 128 * kKiB / 10 * 9;
    limits.response_line_bytes = 128 * kKiB;
    limits.request_header_bytes = 128 * kKiB;
    limits.request_header_line_bytes = 128 * kKiB;
    limits.request_line_bytes = 16 * kKiB;
}

// Source: the same page and the 520 page as they stood in 2025.
void cloudflare_2025(Settings& settings) {
    settings.timeouts.read = seconds(120);
    Limits& limits = settings.limits;
    limits.response_header_bytes = 32 * kKiB;
    limits.response_header_warn_bytes = 32 * kKiB / 10 * 9;
    limits.response_line_bytes = 16 * kKiB;
}

// The figures people still quote from before 2024.
void cloudflare_legacy(Settings& settings) {
    settings.timeouts.connect = seconds(15);
    settings.timeouts.read = seconds(100);
    Limits& limits = settings.limits;
    limits.response_header_bytes = 16 * kKiB;
    limits.response_header_warn_bytes = 16 * kKiB / 10 * 9;
    limits.response_line_bytes = 16 * kKiB;
}

struct Profile {
    std::string_view name;
    void (*apply)(Settings&);
};

constexpr std::array kProfiles{
    Profile{"default", guide},
    Profile{"cloudflare-2026", cloudflare_2026},
    Profile{"cloudflare-2025", cloudflare_2025},
    Profile{"cloudflare-legacy", cloudflare_legacy},
};

}  // namespace

bool apply_profile(Settings& settings, std::string_view name) {
    const auto profile = std::ranges::find(kProfiles, name, &Profile::name);
    if (profile == kProfiles.end()) return false;
    settings.profile = name;
    settings.timeouts = {};
    settings.limits = {};
    profile->apply(settings);
    return true;
}

std::vector<std::string_view> profile_names() {
    std::vector<std::string_view> names;
    for (const Profile& profile : kProfiles) names.push_back(profile.name);
    return names;
}

}  // namespace edgecase::config
