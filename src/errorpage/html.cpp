#include "errorpage/html.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>

namespace edgecase::errorpage {
namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--bg:#f4f5f7;--card:#fff;--line:#dcdfe5;--ink:#171b22;"
    "--soft:#566070;--bad:#b42318;--tint:#fdecea;--good:#17754a}"
    "@media(prefers-color-scheme:dark){:root{--bg:#0e1116;--card:#171b22;--line:#2d343f;"
    "--ink:#eceff4;--soft:#a3adbb;--bad:#ff9a8d;--tint:#3a1e1c;--good:#74d3a0}}"
    "*{box-sizing:border-box;margin:0}"
    "body{background:var(--bg);color:var(--ink);min-height:100vh;display:flex;"
    "padding:2.5rem 1.25rem;font:1rem/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}"
    "main{width:100%;max-width:46rem;margin:auto}"
    ".code{display:inline-block;padding:.2rem .7rem;border-radius:2rem;background:var(--tint);"
    "color:var(--bad);font-weight:650;font-size:.9rem}"
    "h1{font-size:clamp(1.6rem,5.5vw,2.4rem);line-height:1.18;letter-spacing:-.02em;"
    "margin:.8rem 0 .6rem;text-wrap:balance}"
    ".lead{font-size:1.1rem;color:var(--soft)}"
    ".path,.do{background:var(--card);border:1px solid var(--line);border-radius:1rem}"
    ".path{list-style:none;display:flex;justify-content:center;padding:1.75rem 1rem 1.5rem;"
    "margin:1.75rem 0 1rem;text-align:center}"
    ".path li{flex:0 1 10rem;min-width:4rem}.path .net{flex:1 1 1rem;min-width:0}"
    ".icon{display:block;position:relative;width:4rem;height:4rem;margin:0 auto .6rem;"
    "border:2px solid var(--line);border-radius:50%;color:var(--soft)}"
    "svg{fill:none;stroke:currentColor;stroke-width:1.6;stroke-linecap:round;"
    "stroke-linejoin:round}"
    ".icon>svg{position:absolute;inset:0;width:2.1rem;height:100%;margin:auto}"
    ".mark{position:absolute;right:-.35rem;bottom:-.35rem;width:1.5rem;height:1.5rem;"
    "border-radius:50%;background:var(--soft);color:var(--card);border:2px solid var(--card)}"
    ".mark svg{display:block;stroke-width:2.6}"
    ".ok .mark{background:var(--good)}.bad .mark{background:var(--bad)}"
    ".bad .icon{border-color:var(--bad);background:var(--tint);color:var(--bad)}"
    ".net .icon{width:auto;border:0;border-radius:0;background:none}"
    ".net .icon::before{content:\"\";position:absolute;left:-1.75rem;right:-1.75rem;top:50%;"
    "border-top:2px solid var(--line)}"
    ".bad.net .icon::before{border-top:2px dashed var(--bad)}"
    ".net .mark{inset:0;margin:auto;box-shadow:0 0 0 .2rem var(--card)}"
    ".path b,.path span,.path em{display:block}.path em{font-style:normal;font-weight:600;"
    "font-size:.9rem;color:var(--soft)}.ok em{color:var(--good)}.bad em{color:var(--bad)}"
    ".path span{font-size:.85rem;line-height:1.35;color:var(--soft);overflow-wrap:anywhere;"
    "max-height:2.7em;overflow:hidden}"
    ".do{display:grid;grid-template-columns:1fr 1fr}"
    ".do section{padding:1.25rem 1.4rem}.do section+section{border-left:1px solid var(--line)}"
    "h2{font-size:1rem;margin-bottom:.35rem}.do p{font-size:.95rem;color:var(--soft)}"
    "code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--ink)}"
    ".do code{display:block;margin-top:.6rem;padding:.45rem .6rem;border-radius:.4rem;"
    "background:var(--bg);overflow-wrap:anywhere}code{user-select:all}"
    "dl{display:flex;flex-wrap:wrap;gap:.75rem 2.25rem;margin:1.5rem .25rem 0}"
    "dt{font-size:.8rem;color:var(--soft)}dd{font-variant-numeric:tabular-nums}"
    "dd code{font-size:1rem}"
    "@media(max-width:36rem){body{padding:1.5rem 1rem}.path{padding:1.4rem .5rem 1.2rem;"
    "margin-top:1.25rem}"
    ".path li{flex-basis:6rem}.path .net.bad{flex:0 0 4.6rem}.path b{font-size:.9rem}"
    ".path em,.path span{font-size:.8rem}"
    ".icon{width:3.4rem;height:3.4rem}.net .icon::before{left:-.6rem;right:-.6rem}"
    ".lead{font-size:1rem}.do{grid-template-columns:1fr}"
    ".do section+section{border-left:0;border-top:1px solid var(--line)}}";

constexpr std::string_view kYouIcon =
    "<rect x=\"3\" y=\"4.5\" width=\"18\" height=\"15\" rx=\"2.5\"/>"
    "<path d=\"M3 9h18M6 6.8h.01M8.5 6.8h.01\"/>";
constexpr std::string_view kEdgeIcon =
    "<path d=\"M12 2.8l8 4.6v9.2l-8 4.6-8-4.6V7.4z\"/><circle cx=\"12\" cy=\"12\" r=\"3\"/>";
constexpr std::string_view kOriginIcon =
    "<rect x=\"4\" y=\"4\" width=\"16\" height=\"7\" rx=\"2\"/>"
    "<rect x=\"4\" y=\"13\" width=\"16\" height=\"7\" rx=\"2\"/>"
    "<path d=\"M7.5 7.5h.01M7.5 16.5h.01M12 7.5h4.5M12 16.5h4.5\"/>";

std::string escape(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            case '\'':
                result += "&#39;";
                break;
            default:
                result += c;
        }
    }
    return result;
}

enum class State : uint8_t { ok, bad, unknown };

std::string mark(State state) {
    constexpr std::array<std::string_view, 3> kShapes{"M7 12.5l3.5 3.5L17 8.5",
                                                      "M8 8l8 8M16 8l-8 8", "M7.5 12h9"};
    return fmt::format("<i class=\"mark\"><svg viewBox=\"0 0 24 24\"><path d=\"{}\"/></svg></i>",
                       kShapes[static_cast<size_t>(state)]);
}

constexpr std::string_view class_of(State state) {
    constexpr std::array<std::string_view, 3> kClasses{"ok", "bad", "unknown"};
    return kClasses[static_cast<size_t>(state)];
}

std::string party(State state, std::string_view icon, std::string_view name, std::string_view word,
                  std::string_view detail_html) {
    return fmt::format(
        "<li class=\"{}\"><div class=\"icon\" aria-hidden=\"true\"><svg viewBox=\"0 0 24 "
        "24\">{}</svg>"
        "{}</div><b>{}</b><em>{}</em><span>{}</span></li>",
        class_of(state), icon, mark(state), name, word, detail_html);
}

/// On a phone a long one is cut in two before its port rather than within it.
std::string breakable(std::string_view host) {
    const size_t port = host.rfind(':');
    const bool has_port = port != std::string_view::npos &&
                          host.find_first_not_of("0123456789", port + 1) == std::string_view::npos;
    if (!has_port) return escape(host);
    return escape(host.substr(0, port)) + "<wbr>" + escape(host.substr(port));
}

std::string link(bool broken) {
    if (!broken) return "<li class=\"net\" aria-hidden=\"true\"><div class=\"icon\"></div></li>";
    return fmt::format(
        "<li class=\"net bad\"><div class=\"icon\" aria-hidden=\"true\">{}</div><b>Network</b>"
        "<em>Error</em></li>",
        mark(State::bad));
}

/// You - Edge - Origin. What stands before the guilty one works; of what stands behind it, only its
/// innocence is known.
std::string path(const Subject& subject, cause::Actor actor) {
    using cause::Actor;
    const auto word = [](State state, std::string_view otherwise) -> std::string_view {
        if (state == State::unknown) return otherwise;
        return state == State::ok ? "Working" : "Error";
    };
    const State you = actor == Actor::client ? State::bad : State::ok;
    const State edge = actor == Actor::edge ? State::bad : State::ok;
    const State origin = actor == Actor::origin ? State::bad : State::unknown;
    std::string html = "<ol class=\"path\" role=\"list\" aria-label=\"Where it failed\">";
    html += party(you, kYouIcon, "You", word(you, ""), "Your browser");
    html += link(false);
    html += party(edge, kEdgeIcon, "Edge", word(edge, ""), escape(subject.colo));
    html += link(actor == Actor::network);
    html += party(origin, kOriginIcon, "Origin",
                  word(origin, actor == Actor::network ? "Unknown" : "Not at fault"),
                  breakable(subject.host));
    return html + "</ol>";
}

std::string advice(const Subject& subject) {
    return fmt::format(
        "<div class=\"do\"><section><h2>If you are visiting</h2><p>{}</p></section>"
        "<section><h2>If you run this website</h2><p>{} Look up this Ray ID:</p><code>{}</code>"
        "</section></div>",
        escape(subject.visitor_advice), escape(subject.owner_advice),
        escape(subject.owner_command));
}

std::string details(const Subject& subject, base::WallTime time) {
    std::string html = fmt::format(
        "<dl><div><dt>Ray ID</dt><dd><code>{}</code></dd></div>"
        "<div><dt>Time</dt><dd><time datetime=\"{}Z\">{} UTC</time></dd></div>",
        subject.ray, utc(time, 'T'), utc(time, ' '));
    if (subject.status.error_code != subject.status.code) {
        html += fmt::format("<div><dt>HTTP status</dt><dd>{}</dd></div>", subject.status.code);
    }
    return html + "</dl>";
}

}  // namespace

std::string html_body(const Subject& subject, cause::Actor actor, base::WallTime time) {
    const std::string title = escape(subject.status.title);
    const std::string host = subject.host.empty() ? "" : escape(subject.host) + " | ";
    std::string html = fmt::format(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}{}: {}</title>"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta name=\"robots\" content=\"noindex,nofollow\">"
        // An empty icon, or the browser asks the failing origin for /favicon.ico.
        "<link rel=\"icon\" href=\"data:,\"><style>",
        host, subject.status.error_code, title);
    html += kStyle;
    html += fmt::format(
        "</style></head><body><main><p class=\"code\">Error {}</p><h1>{}</h1>"
        "<p class=\"lead\">{}</p>",
        subject.status.error_code, title, escape(subject.what_happened));
    html += path(subject, actor);
    html += advice(subject);
    html += details(subject, time);
    return html + "</main></body></html>\n";
}

}  // namespace edgecase::errorpage
