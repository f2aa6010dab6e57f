#include "cli/ranges_fetch.hpp"

#include <curl/curl.h>

#include <memory>

#include "base/ascii.hpp"
#include "ip/endpoint.hpp"

namespace edgecase::cli {
namespace {

struct Body {
    std::string text;
    bool is_too_large = false;
};

size_t take(char* bytes, size_t size, size_t count, void* into) {
    Body& body = *static_cast<Body*>(into);
    if (body.text.size() + size * count > kMaxListBytes) {
        body.is_too_large = true;
        return 0;
    }
    body.text.append(bytes, size * count);
    return size * count;
}

/// What a thief on the way could change is taken from this machine alone.
bool is_loopback(const std::string& url) {
    std::string_view host = std::string_view(url).substr(url.find("://") + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    if (host.contains('@')) return false;
    if (host.starts_with('[')) return host.starts_with("[::1]");
    host = host.substr(0, host.find(':'));
    const auto address = ip::Address::parse(host);
    return host == "localhost" || (address && address->is_loopback());
}

/// Whether a body that was cut off would have been noticed. One that ends with the connection may
/// end anywhere: libcurl does not ask for TLS's own end.
bool has_end(CURL* curl) {
    long version = 0;
    curl_easy_getinfo(curl, CURLINFO_HTTP_VERSION, &version);
    if (version >= CURL_HTTP_VERSION_2_0) return true;
    curl_off_t length = -1;
    curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length >= 0) return true;
    constexpr int kLastResponse = -1;
    curl_header* found = nullptr;
    return curl_easy_header(curl, "Transfer-Encoding", 0, CURLH_HEADER, kLastResponse, &found) ==
           CURLHE_OK;
}

}  // namespace

bool is_url(const std::string& text) {
    return text.contains("://");
}

std::expected<allowlist::Source, std::string> fetch(const std::string& url, const std::string& ca) {
    const std::string lower = base::to_lower(url);
    const bool is_https = lower.starts_with("https://");
    if (!is_https && !(lower.starts_with("http://") && is_loopback(lower))) {
        return std::unexpected(url + ": a list is fetched over https, or from a file");
    }
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(),
                                                                     &curl_easy_cleanup);
    if (!handle) return std::unexpected("libcurl cannot be started");
    Body body;
    CURL* const curl = handle.get();
    std::string message(CURL_ERROR_SIZE, '\0');
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, is_https ? "https" : "http");
    // A proxy would be on the way to this machine.
    if (!is_https) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, is_https ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 3L);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, kFetchSeconds);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kFetchSeconds / 3);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSlowBytes);
    // Some compress unasked; what comes out is bounded as well.
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    if (!ca.empty()) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca.c_str());
        curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // else the system's would do as well
    }
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "edgecase");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message.data());
    const CURLcode code = curl_easy_perform(curl);
    if (body.is_too_large) return std::unexpected(url + ": is larger than a list of ranges");
    if (code != CURLE_OK) {
        const std::string said = message.c_str();
        return std::unexpected(url + ": " + (said.empty() ? curl_easy_strerror(code) : said));
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) return std::unexpected(url + ": answers with " + std::to_string(status));
    if (!has_end(curl)) {
        return std::unexpected(url + ": answers without a length, so a part may be missing");
    }
    return allowlist::Source{url, std::move(body.text)};
}

}  // namespace edgecase::cli
