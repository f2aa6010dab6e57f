#include <algorithm>
#include <array>

#include "lexicon/lookup.hpp"

namespace edgecase::lexicon {
namespace {

struct Lead {
    uint16_t status;
    std::string_view system;
    std::string_view word;
};

// What each proxy answers after what, with its defaults. Source: the vendors' pages and sources as
// in docs/lexicon.md; a proxy of one's own may be told to answer otherwise.
constexpr std::array kLeads = {
    Lead{500, "runtime", "PHP Fatal error"},
    Lead{500, "runtime", "Allowed memory size of"},
    Lead{500, "runtime", "Maximum execution time of"},
    Lead{500, "apache", "End of script output before headers"},
    Lead{500, "apache", "malformed header from script"},
    Lead{502, "nginx", "connect() failed (111: Connection refused)"},
    Lead{502, "nginx",
         "upstream prematurely closed connection while reading response header from upstream"},
    Lead{502, "nginx",
         "recv() failed (104: Connection reset by peer) while reading response header from "
         "upstream"},
    Lead{502, "nginx", "upstream sent too big header"},
    Lead{502, "nginx", "upstream sent invalid header"},
    Lead{502, "nginx", "no live upstreams"},
    Lead{502, "nginx", "SSL_do_handshake() failed"},
    Lead{502, "nginx", "connect() to unix: ... failed (2: No such file or directory)"},
    Lead{502, "haproxy", "SH"},
    Lead{502, "haproxy", "PH"},
    Lead{502, "envoy", "UPE"},
    Lead{502, "apache", "AH00898: Error reading from remote server"},
    Lead{502, "apache", "AH01102: error reading status line from remote server"},
    Lead{502, "go", "connect: connection refused"},
    Lead{502, "go", "unexpected EOF"},
    Lead{503, "haproxy", "SC"},
    Lead{503, "haproxy", "sQ"},
    Lead{503, "envoy", "UC"},
    Lead{503, "envoy", "UF"},
    Lead{503, "envoy", "UH"},
    Lead{503, "envoy", "UO"},
    Lead{503, "nginx", "limiting requests"},
    Lead{503, "nginx", "limiting connections"},
    Lead{503, "apache", "AH00957: ... attempt to connect to ... failed"},
    Lead{503, "apache", "AH01075: Error dispatching request to"},
    Lead{503, "varnish", "HTC eof"},
    Lead{503, "varnish", "backend ... fail"},
    Lead{503, "fastly", "backend read error"},
    Lead{504, "nginx", "upstream timed out ... while connecting to upstream"},
    Lead{504, "nginx", "upstream timed out ... while reading response header from upstream"},
    Lead{504, "nginx", "connect() failed (110: Connection timed out)"},
    Lead{504, "haproxy", "sH"},
    Lead{504, "envoy", "UT"},
    Lead{504, "go", "net/http: timeout awaiting response headers"},
};

}  // namespace

std::vector<Match> leading_to(uint16_t status) {
    std::vector<Match> found;
    for (const Lead& lead : kLeads) {
        if (lead.status != status) continue;
        for (const Vocabulary& vocabulary : vocabularies()) {
            if (vocabulary.system != lead.system) continue;
            const auto word = std::ranges::find(vocabulary.words, lead.word, &Word::word);
            if (word != vocabulary.words.end()) found.push_back({&vocabulary, &*word});
        }
    }
    return found;
}

}  // namespace edgecase::lexicon
