#include "lab/ports.hpp"

namespace edgecase::lab {

const ip::Endpoint& Ports::origin(const Scenario& scenario) const {
    switch (scenario.target) {
        case Target::reuse:
            return reuse;
        case Target::closed:
            return closed;
        case Target::full_queue:
            return full_queue;
        case Target::tls:
            return tls;
        case Target::tls_reuse:
            return tls_reuse;
        case Target::h2:
            return h2;
        case Target::own:
            return own.at(scenario.name);
        case Target::main:
        case Target::dns:
        case Target::resolver_down:
        case Target::network:
        case Target::edge_setting:
            return main;
    }
    return main;
}

const ip::Endpoint* Ports::resolver(Target target) const {
    if (target == Target::dns) return &dns;
    if (target == Target::resolver_down) return &resolver_down;
    return nullptr;
}

std::string Ports::edge_config(const Scenario& scenario) const {
    constexpr std::string_view kFiles = "{files}";
    std::string text(scenario.edge_config);
    for (size_t at = text.find(kFiles); at != std::string::npos; at = text.find(kFiles)) {
        text.replace(at, kFiles.size(), files);
    }
    return text;
}

}  // namespace edgecase::lab
