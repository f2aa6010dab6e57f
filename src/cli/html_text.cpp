#include "cli/html_text.hpp"

#include "cli/console.hpp"

namespace edgecase::cli {

std::string html(std::string_view text) {
    std::string result;
    for (const char c : one_line(text)) {
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
            default:
                result += c;
        }
    }
    return result;
}

const std::string_view kStyle = R"(
:root{color-scheme:light dark;--line:#8884;--bar:#c2452d;--soft:#8882}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums}
code,pre{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap}
.scroll{overflow-x:auto}svg{width:100%;height:auto;background:var(--soft)}
svg rect{fill:var(--bar)}.share{background:var(--bar);height:.7rem}
details{margin:.3rem 0}summary{cursor:pointer}
)";

}  // namespace edgecase::cli
