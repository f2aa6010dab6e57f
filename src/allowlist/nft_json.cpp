// `nft -j list ruleset`: written again as nft's text, so that one reader knows the language.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "allowlist/nft_reader.hpp"

namespace edgecase::allowlist {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;  // of expressions

std::string string_at(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) return {};
    if (found->is_string()) return found->get<std::string>();
    return found->is_number_integer() ? std::to_string(found->get<int64_t>()) : std::string();
}

/// A word of the text: quoted where it could be taken for something else.
std::string quoted(const std::string& word) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:*@$-";
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
    std::string text = "\"";
    for (const char c : word) {
        if (c != '"' && c != '\n') text += c;
    }
    return text + "\"";
}

/// Where brackets are deeper in each other than nft writes them: walking such a document would
/// overflow the stack. Nullopt: nowhere.
std::optional<size_t> too_deep_at(std::string_view text) {
    constexpr int kMaxNesting = 200;
    int depth = 0;
    bool is_string = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_string) {
            if (c == '\\') ++i;
            is_string = c != '"';
        } else if (c == '"') {
            is_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > kMaxNesting) return i;
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return std::nullopt;
}

class Translator {
  public:
    std::string expression(const json& value, int depth = 0) {
        if (depth > kMaxDepth) return unknown("nesting");
        if (value.is_string()) return quoted(value.get<std::string>());
        if (value.is_number_integer()) return std::to_string(value.get<int64_t>());
        if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
        if (value.is_array()) return list(value, ", ", depth);
        if (!value.is_object() || value.size() != 1) return unknown("expression");
        const std::string& name = value.begin().key();
        const json& inner = value.begin().value();
        if (name == "prefix") {
            return expression(inner.value("addr", json()), depth + 1) + "/" +
                   string_at(inner, "len");
        }
        if (name == "range" && inner.is_array() && inner.size() == 2) {
            return expression(inner[0], depth + 1) + "-" + expression(inner[1], depth + 1);
        }
        if (name == "set") return "{ " + list(inner, ", ", depth) + " }";
        if (name == "concat") return list(inner, " . ", depth);
        if (name == "|") return list(inner, " | ", depth);
        if (name == "elem") return expression(inner.value("val", json()), depth + 1);
        if (name == "payload") return payload(inner);
        if (name == "meta") return "meta " + string_at(inner, "key");
        if (name == "exthdr") return extension_header(inner);
        if (name == "ct") return ct(inner);
        if (name == "fib") return fib(inner);
        if (name == "numgen") {
            return "numgen " + string_at(inner, "mode") + " mod " + string_at(inner, "mod");
        }
        return unknown(name);
    }

    std::string statement(const json& value) {
        if (!value.is_object() || value.empty()) return unknown("statement");
        const std::string& name = value.begin().key();
        const json& inner = value.begin().value();
        if (name == "match") return match(inner);
        if (name == "vmap") return vmap(inner);
        if (name == "accept" || name == "drop" || name == "return" || name == "continue" ||
            name == "counter" || name == "notrack" || name == "log" || name == "masquerade") {
            return name;
        }
        if (name == "jump" || name == "goto")
            return name + " " + quoted(string_at(inner, "target"));
        if (name == "reject") return reject(inner);
        if (name == "limit") return limit(inner);
        if (name == "mangle") {
            return expression(inner.value("key", json())) + " set " +
                   expression(inner.value("value", json()));
        }
        if (name == "set") return touch(inner);
        if (name == "ct count") {
            return std::string("ct count ") + (inner.value("inv", false) ? "over " : "") +
                   string_at(inner, "val");
        }
        if (name == "xt")
            return "xt " + string_at(inner, "type") + " " + quoted(string_at(inner, "name"));
        if (name == "redirect" || name == "dnat" || name == "snat" || name == "queue" ||
            name == "tproxy" || name == "synproxy" || name == "fwd" || name == "flow" ||
            name == "dup") {
            return name;
        }
        return unknown(name);
    }

  private:
    static std::string unknown(const std::string& name) { return "unknown-" + quoted(name); }

    std::string list(const json& value, const char* separator, int depth) {
        if (!value.is_array()) return expression(value, depth + 1);
        std::string text;
        for (const json& one : value) {
            if (!text.empty()) text += separator;
            // An element of a map is a pair of key and verdict.
            if (one.is_array() && one.size() == 2) {
                text += expression(one[0], depth + 1) + " : " + verdict(one[1]);
            } else {
                text += expression(one, depth + 1);
            }
        }
        return text;
    }

    std::string verdict(const json& value) {
        return value.is_object() ? statement(value) : unknown("value");
    }

    static std::string payload(const json& inner) {
        const std::string protocol = string_at(inner, "protocol");
        return protocol.empty() ? unknown("payload") : protocol + " " + string_at(inner, "field");
    }

    static std::string extension_header(const json& inner) {
        const std::string header = string_at(inner, "name");
        const std::string field = string_at(inner, "field");
        if (header.empty()) return unknown("exthdr");
        return field.empty() ? "exthdr " + header : header + " " + field;
    }

    static std::string ct(const json& inner) {
        return inner.contains("dir") ? unknown("ct " + string_at(inner, "dir"))
                                     : "ct " + string_at(inner, "key");
    }

    static std::string fib(const json& inner) {
        std::string text = "fib";
        const json flags = inner.value("flags", json::array());
        std::string joined;
        for (const json& flag : flags.is_array() ? flags : json::array({flags})) {
            if (!flag.is_string()) continue;
            joined += joined.empty() ? " " : " . ";
            joined += flag.get<std::string>();
        }
        return text + joined + " " + string_at(inner, "result");
    }

    std::string match(const json& inner) {
        const json left = inner.value("left", json());
        const json right = inner.value("right", json());
        std::string op = string_at(inner, "op");
        // `in` is what the text leaves out: any of these flags.
        if (op == "in" || (op == "==" && !is_flags(left))) op.clear();
        if (left.is_object() && left.contains("&") && left["&"].is_array() &&
            left["&"].size() == 2) {
            const json& parts = left["&"];
            return expression(parts[0]) + " & (" + flags(parts[1]) + ") " +
                   (op.empty() ? "==" : op) + " " + flags(right);
        }
        return expression(left) + (op.empty() ? " " : " " + op + " ") +
               (is_flags(left) ? flags(right) : expression(right));
    }

    std::string flags(const json& value) {
        return value.is_array() ? list(value, " | ", 0) : expression(value);
    }

    static bool is_flags(const json& left) {
        return left.is_object() && left.contains("payload") &&
               string_at(left["payload"], "field") == "flags";
    }

    std::string vmap(const json& inner) {
        return expression(inner.value("key", json())) + " vmap " +
               expression(inner.value("data", json()));
    }

    static std::string reject(const json& inner) {
        if (!inner.is_object() || !inner.contains("type")) return "reject";
        const std::string type = string_at(inner, "type");
        return "reject with " +
               (type == "tcp reset" ? type : type + " " + string_at(inner, "expr"));
    }

    static std::string limit(const json& inner) {
        if (!inner.is_object() || !inner.contains("rate")) return "limit name x";
        return std::string("limit rate ") + (inner.value("inv", false) ? "over " : "") +
               string_at(inner, "rate") + "/" + string_at(inner, "per");
    }

    /// `add @set { ip saddr limit rate over 10/second }`
    std::string touch(const json& inner) {
        std::string text = string_at(inner, "op") + " " + string_at(inner, "set") + " { x";
        const json statements = inner.value("stmt", json::array());
        for (const json& one : statements) {
            if (one.is_object()) text += " " + statement(one);
        }
        return text + " }";
    }
};

/// The objects of the listing, in tables.
class Document {
  public:
    void add(const std::string& kind, const json& object) {
        const std::string table =
            string_at(object, "family") + " " + quoted(string_at(object, "table"));
        if (kind == "chain") {
            chain(table, object);
        } else if (kind == "set" || kind == "map") {
            tables_[table].sets += set(kind, object);
        } else if (kind == "rule") {
            rule(table, object);
        } else if (kind == "table") {
            const json flags = object.value("flags", json());
            const std::string own =
                string_at(object, "family") + " " + quoted(string_at(object, "name"));
            tables_[own].is_dormant = flags.dump().contains("dormant");
        }
    }

    std::string text() const {
        std::string text;
        for (const auto& [name, table] : tables_) {
            text += "table " + name + " {\n";
            if (table.is_dormant) text += "flags dormant\n";
            text += table.sets;
            for (const auto& [chain, content] : table.chains) {
                text += fmt::format("chain {} {{\n{}}}\n", chain, content);
            }
            text += "}\n";
        }
        return text;
    }

  private:
    struct Table {
        bool is_dormant = false;
        std::string sets;
        std::map<std::string, std::string> chains;
    };

    void chain(const std::string& table, const json& object) {
        std::string& text = tables_[table].chains[quoted(string_at(object, "name"))];
        if (!object.contains("hook")) return;
        const std::string policy = string_at(object, "policy");
        text = fmt::format("type {} hook {} {}priority {}; policy {};\n", string_at(object, "type"),
                           string_at(object, "hook"), devices(object), string_at(object, "prio"),
                           policy.empty() ? "accept" : policy);
    }

    /// `devices = { "eth0", "eth1" } `
    std::string devices(const json& object) {
        const json names = object.value("dev", json());
        if (names.is_null()) return {};
        return "devices = " + translator_.expression(json{{"set", names}}) + " ";
    }

    std::string set(const std::string& kind, const json& object) {
        std::string text = kind + " " + quoted(string_at(object, "name")) + " {\n";
        const std::string flags = object.value("flags", json()).dump();
        if (flags.contains("dynamic")) text += "flags dynamic\n";
        const json elements = object.value("elem", json());
        if (!elements.empty()) {
            text += "elements = " + translator_.expression(json{{"set", elements}}) + "\n";
        }
        return text + "}\n";
    }

    void rule(const std::string& table, const json& object) {
        std::string& text = tables_[table].chains[quoted(string_at(object, "chain"))];
        const json expressions = object.value("expr", json::array());
        bool is_first = true;
        for (const json& one : expressions) {
            text += (is_first ? "" : " ") + translator_.statement(one);
            is_first = false;
        }
        const std::string handle = string_at(object, "handle");
        text += (handle.empty() ? "" : " # handle " + handle) + "\n";
    }

    Translator translator_;
    std::map<std::string, Table> tables_;
};

}  // namespace

ReadResult read_nft_json(Reading& into, uint32_t file) {
    const Source& source = into.source(file);
    if (const auto at = too_deep_at(source.text)) {
        return error_at(source, *at, "nested deeper than nft writes it");
    }
    std::string text;
    try {
        const json document = json::parse(source.text);
        const auto found = document.find("nftables");
        if (found == document.end() || !found->is_array()) {
            return ReadError{source.name, 1, 1, "the JSON has no array `nftables`"};
        }
        Document translated;
        for (const json& object : *found) {
            if (object.is_object() && object.size() == 1 && object.begin().value().is_object()) {
                translated.add(object.begin().key(), object.begin().value());
            }
        }
        text = translated.text();
    } catch (const json::parse_error& error) {
        return error_at(source, error.byte > 0 ? error.byte - 1 : 0, "this is no JSON");
    } catch (const json::exception& error) {  // a field of another type than nft writes
        return ReadError{source.name, 0, 0, std::string("not as nft writes it: ") + error.what()};
    }
    return NftReader(into, file, text, true).read();
}

}  // namespace edgecase::allowlist
