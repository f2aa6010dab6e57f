// The zone files of firewalld, /etc/firewalld/zones/NAME.xml, and DefaultZone of firewalld.conf.
#include <algorithm>
#include <array>
#include <pugixml.hpp>

#include "allowlist/contains.hpp"
#include "allowlist/firewalld_zones.hpp"
#include "allowlist/readers.hpp"
#include "base/ascii.hpp"

namespace edgecase::allowlist {
namespace {

/// `/etc/firewalld/zones/public.xml` is zone `public`.
std::string name_of(std::string_view path) {
    path.remove_prefix(std::min(path.rfind('/') + 1, path.size()));
    return std::string(path.substr(0, path.rfind('.')));
}

class ZoneReader {
  public:
    ZoneReader(Reading& into, uint32_t file) : into_(into), file_(file) {
        const std::string_view text = into.source(file).text;
        for (size_t at = 0; at < text.size(); ++at) {
            if (text[at] == '\n') line_ends_.push_back(at);
        }
    }

    ReadResult read() {
        const Source& source = into_.source(file_);
        pugi::xml_document document;
        const auto parsed = document.load_buffer(source.text.data(), source.text.size());
        if (!parsed) {
            return error_at(source, static_cast<size_t>(std::max<ptrdiff_t>(parsed.offset, 0)),
                            std::string("no XML: ") + parsed.description());
        }
        const pugi::xml_node root = document.child("zone");
        if (!root) return ReadError{source.name, 1, 1, "no `<zone>` in it"};
        zone_.name = name_of(source.name);
        zone_.place = zone_.target_place = place_of(root);
        // Source: firewalld.zone(5); without a target it is `default`.
        if (const auto target = root.attribute("target")) zone_.target = target.value();
        if (zone_.target == "%%REJECT%%") zone_.target = "REJECT";
        zone_.is_default = zone_.name == "public";
        for (const pugi::xml_node node : root.children()) {
            if (auto error = element(node)) return error;
        }
        FirewalldZones& all = into_.firewalld;
        if (all.zones.empty()) all.file = file_;
        all.is_permanent = true;
        all.zones.push_back(std::move(zone_));
        return std::nullopt;
    }

  private:
    Place place_of(pugi::xml_node node) const {
        const auto offset = static_cast<size_t>(std::max<ptrdiff_t>(node.offset_debug(), 0));
        const auto before = std::ranges::lower_bound(line_ends_, offset) - line_ends_.begin();
        return {file_, static_cast<uint32_t>(before + 1), 0};
    }

    ReadResult element(pugi::xml_node node) {
        // What says nothing of who gets in.
        constexpr std::array<std::string_view, 8> kHarmless{
            "short",      "description",          "masquerade", "forward",
            "icmp-block", "icmp-block-inversion", "version",    "egress-priority"};
        const std::string_view name = node.name();
        const Place at = place_of(node);
        if (node.type() != pugi::node_element || contains(kHarmless, name)) return std::nullopt;
        if (name == "interface") {
            zone_.interfaces.emplace_back(node.attribute("name").value());
        } else if (name == "source") {
            source(node);
        } else if (name == "service") {
            zone_.add_service(node.attribute("name").value(), at);
        } else if (name == "port" || name == "source-port") {
            zone_.add_port(std::string(node.attribute("port").value()) + "/" +
                               node.attribute("protocol").value(),
                           at, name == "source-port");
        } else if (name == "protocol") {
            zone_.add_protocol(node.attribute("value").value(), at);
        } else if (name == "forward-port") {
            zone_.add_forwarding(at);
        } else if (name == "rule") {
            zone_.add_rich_rule(into_.sets, words_of_rule(node), at);
        } else {
            // firewalld says `Unexpected element` and does without the zone.
            const auto offset = static_cast<size_t>(std::max<ptrdiff_t>(node.offset_debug(), 0));
            return error_at(into_.source(file_), offset,
                            "`<" + std::string(name) + ">` is not known in a zone");
        }
        return std::nullopt;
    }

    void source(pugi::xml_node node) {
        if (const auto address = node.attribute("address")) {
            zone_.sources.emplace_back(address.value());
        } else if (const auto set = node.attribute("ipset")) {
            zone_.sources.push_back("ipset:" + std::string(set.value()));
        } else {
            zone_.sources.emplace_back(node.attribute("mac").value());
        }
    }

    /// As `firewall-cmd --list-rich-rules` prints it.
    static std::vector<std::string> words_of_rule(pugi::xml_node rule) {
        std::vector<std::string> words{"rule"};
        add_attributes(rule, words);
        for (const pugi::xml_node node : rule.children()) {
            if (node.type() != pugi::node_element) continue;
            words.emplace_back(node.name());
            const std::string_view invert = node.attribute("invert").value();
            if (base::iequals(invert, "true") || base::iequals(invert, "yes") || invert == "1") {
                words.emplace_back("NOT");
            }
            add_attributes(node, words);
            if (const auto limit = node.child("limit")) {
                words.emplace_back("limit");
                add_attributes(limit, words);
            }
        }
        return words;
    }

    static void add_attributes(pugi::xml_node node, std::vector<std::string>& words) {
        for (const pugi::xml_attribute one : node.attributes()) {
            if (std::string_view(one.name()) == "invert") continue;
            words.push_back(std::string(one.name()) + "=" + one.value());
        }
    }

    Reading& into_;
    uint32_t file_;
    std::vector<size_t> line_ends_;
    FirewalldZone zone_;
};

constexpr std::string_view kDefaultZone = "DefaultZone=";

ReadResult read_conf(Reading& into, uint32_t file) {
    for_each_line(into.source(file).text, [&](uint32_t, std::string_view line) {
        line = base::trim(line);
        if (line.starts_with(kDefaultZone)) {
            into.firewalld.default_zone = std::string(base::trim(line.substr(kDefaultZone.size())));
        }
    });
    if (!into.firewalld.default_zone.empty()) return std::nullopt;
    return ReadError{into.source(file).name, 1, 1, "no DefaultZone in it"};
}

bool is_xml(std::string_view text) {
    return base::trim(text.substr(0, std::min(text.find('\n'), text.size()))).starts_with('<') &&
           text.contains("<zone");
}

}  // namespace

bool is_firewalld_file(std::string_view text) {
    return is_xml(text) || text.starts_with(kDefaultZone) ||
           text.contains("\n" + std::string(kDefaultZone));
}

ReadResult read_firewalld_file(Reading& into, uint32_t file) {
    if (!is_xml(into.source(file).text)) return read_conf(into, file);
    return ZoneReader(into, file).read();
}

}  // namespace edgecase::allowlist
