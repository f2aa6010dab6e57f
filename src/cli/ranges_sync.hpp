// Owns `edgecase ranges render` and `sync`: the allow-list written, and kept up to date in a file.
#pragma once

#include <string>
#include <vector>

namespace edgecase::cli {

struct RangesRenderFlags {
    std::string format;
    std::string ranges;
    std::vector<int> ports{80, 443};
};
int run_ranges_render(const RangesRenderFlags& flags);

struct RangesSyncFlags {
    std::string to;
    std::string format;
    std::vector<std::string> from{"https://api.cloudflare.com/client/v4/ips"};
    std::string ca;  // PEM file of authorities; empty: the system's
    std::vector<int> ports{80, 443};
    std::string reload;  // a command, run without a shell
    std::string state;   // folder; empty: systemd's, or the file's own
    bool dry_run = false;
    bool force = false;
};
int run_ranges_sync(const RangesSyncFlags& flags);

}  // namespace edgecase::cli
