// Owns the command `demo`: the lab, the edge before it, and a tour of every scenario.
#pragma once

#include <string>

namespace edgecase::cli {

struct DemoFlags {
    std::string listen = "127.0.0.1:8520";
    std::string data_dir;  // empty: a temporary one, removed at the end
    bool once = false;
    bool json = false;
};

int run_demo(const DemoFlags& flags);

}  // namespace edgecase::cli
