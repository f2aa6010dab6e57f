#include "clickhouse/client.hpp"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "base/escape.hpp"
#include "clickhouse/gzip.hpp"

namespace edgecase::clickhouse {
namespace {

constexpr long kConnectMs = 3000;
constexpr long kAnswerSeconds = 30;
// An insert that is still at work later is found by its query_id.
constexpr long kSilentSeconds = 35;  // libcurl takes 5 more to see that nothing moves
constexpr long kSilentBytes = 100;   // a second
constexpr long kInsertSeconds = 600;
// What the kernel holds looks sent: with megabytes of it a slow uplink would look silent.
constexpr int kSendBufferBytes = 128 << 10;
// Pages are bounded where they are asked for; this is against a server gone mad.
constexpr size_t kMaximumAnswerBytes = size_t{512} << 20;
constexpr size_t kShownErrorBytes = 300;

struct Answer {
    std::string text;
    bool is_too_large = false;
};

size_t take(char* bytes, size_t size, size_t count, void* into) {
    Answer& answer = *static_cast<Answer*>(into);
    if (answer.text.size() + size * count > kMaximumAnswerBytes) {
        answer.is_too_large = true;
        return 0;
    }
    answer.text.append(bytes, size * count);
    return size * count;
}

int watch(void* stopped, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const std::atomic<bool>*>(stopped)->load() ? 1 : 0;
}

int narrow(void*, curl_socket_t socket, curlsocktype) {
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof(kSendBufferBytes));
    return CURL_SOCKOPT_OK;
}

/// How long the server may take.
void set_patience(CURL* curl, bool is_insert) {
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, kConnectMs);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, is_insert ? kInsertSeconds : kAnswerSeconds);
    if (!is_insert) return;
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSilentBytes);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSilentSeconds);
    curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, narrow);
}

/// Of `Code: 60, e.displayText() = ...` and `Code: 60. DB::Exception: ...`, all in order.
std::vector<int> codes_of(std::string_view text) {
    constexpr std::string_view kMark = "Code: ";
    std::vector<int> codes;
    for (size_t at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark, at)) {
        at += kMark.size();
        int code = 0;
        std::from_chars(text.data() + at, text.data() + text.size(), code);
        codes.push_back(code);
    }
    return codes;
}

/// The first line, without the stack trace and harmless to a terminal.
std::string first_line(std::string_view text) {
    text = text.substr(0, std::min(text.find('\n'), text.find(", Stack trace")));
    return base::escape(text.substr(0, kShownErrorBytes));
}

/// Whether the request may have reached the server.
bool was_sent(CURL* curl, CURLcode code) {
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
        code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
        code == CURLE_SSL_CACERT_BADFILE || code == CURLE_URL_MALFORMAT) {
        return false;
    }
    curl_off_t pretransfer = 0;  // when the connection was ready for the request
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &pretransfer);
    return pretransfer > 0;
}

}  // namespace

struct Client::Connection {
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle{curl_easy_init(),
                                                               &curl_easy_cleanup};
};

Client::Client(Settings settings)
    : settings_(std::move(settings)), releases_(settings_.urls.size()) {
    for (size_t i = 0; i < settings_.urls.size(); ++i) {
        connections_.push_back(std::make_unique<Connection>());
    }
}

Client::~Client() = default;

std::expected<std::string, QueryError> Client::ask(size_t server, std::string_view sql,
                                                   const Parameters& parameters) {
    return post(server, {}, sql, Sending::freely, parameters);
}

std::expected<std::string, QueryError> Client::ask_any(std::string_view sql,
                                                       const Parameters& parameters) {
    QueryError first;
    for (size_t i = 0; i < servers(); ++i) {
        const size_t server = (last_ + i) % servers();
        auto answer = ask(server, sql, parameters);
        if (answer || answer.error().kind == QueryError::Kind::refused) {
            last_ = server;
            return answer;
        }
        if (i == 0) first = std::move(answer.error());
    }
    return std::unexpected(std::move(first));
}

std::expected<void, QueryError> Client::command(size_t server, std::string_view sql,
                                                const std::string& query_id, Repeated repeated) {
    Parameters parameters = insert_settings(releases_[server], repeated);
    parameters.emplace_back("query_id", query_id);
    const auto done = post(server, {}, sql, Sending::once, parameters);
    if (!done) return std::unexpected(done.error());
    return {};
}

std::expected<void, QueryError> Client::insert(size_t server, std::string_view sql,
                                               std::string_view rows, const std::string& query_id,
                                               Repeated repeated) {
    // One gzip member: of a body that was cut off nothing is kept, while of plain rows those that
    // arrived would be taken for all.
    const std::string body = gzip(rows);
    if (body.empty()) {
        return std::unexpected(QueryError{
            QueryError::Kind::unreachable, 0, {}, "rows for the ledger cannot be compressed"});
    }
    Parameters parameters = insert_settings(releases_[server], repeated);
    parameters.emplace_back("query_id", query_id);
    const auto done = post(server, sql, body, Sending::once_gzip, parameters);
    if (!done) return std::unexpected(done.error());
    return {};
}

std::expected<unsigned, QueryError> Client::version(size_t server) {
    const auto text = ask(server, "SELECT version()");
    if (!text) return std::unexpected(text.error());
    if (text->empty() || text->front() < '1' || text->front() > '9') {
        return std::unexpected(QueryError{
            QueryError::Kind::refused, 0, {}, settings_.urls[server] + " is not ClickHouse"});
    }
    unsigned major = 0;
    unsigned minor = 0;
    const char* const end = text->data() + text->size();
    const auto dot = std::from_chars(text->data(), end, major).ptr;
    if (dot != end) std::from_chars(dot + 1, end, minor);
    return releases_[server] = major * 1000 + minor;
}

std::expected<std::string, QueryError> Client::post(size_t server, std::string_view sql,
                                                    std::string_view body, Sending sending,
                                                    const Parameters& parameters) {
    using Kind = QueryError::Kind;
    CURL* const curl = connections_[server]->handle.get();
    const std::string& base = settings_.urls[server];
    const auto failed = [&](Kind kind, const std::string& what, std::vector<int> codes = {}) {
        const int code = codes.empty() ? 0 : codes.front();
        return std::unexpected(
            QueryError{kind, code, std::move(codes), "ClickHouse at " + base + " " + what});
    };
    if (curl == nullptr) return failed(Kind::unreachable, "cannot be asked: libcurl fails");
    if (stopped_) return failed(Kind::unreachable, "is not asked any more");
    curl_easy_reset(curl);  // its connections stay
    const auto escaped = [&](std::string_view text) {
        const std::unique_ptr<char, decltype(&curl_free)> out(
            curl_easy_escape(curl, text.data(), static_cast<int>(text.size())), &curl_free);
        return std::string(out ? out.get() : "");
    };
    // The answer waits until it is whole: else an error could stand in the middle of a 200.
    std::string url = base + "/?wait_end_of_query=1";
    for (const auto& [name, value] : parameters) url += "&" + name + "=" + escaped(value);
    if (!sql.empty()) url += "&query=" + escaped(sql);
    Answer answer;
    std::string message(CURL_ERROR_SIZE, '\0');
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data() != nullptr ? body.data() : "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, settings_.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, settings_.password.c_str());
    if (!settings_.ca_file.empty()) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.ca_file.c_str());
        curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);  // else the system's would do as well
    }
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    set_patience(curl, sending != Sending::freely);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "edgecase");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message.data());
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &stopped_);
    if (sending != Sending::freely) curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_slist* fields = curl_slist_append(nullptr, "Expect:");
    if (sending == Sending::once_gzip) fields = curl_slist_append(fields, "Content-Encoding: gzip");
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> kept(fields,
                                                                           &curl_slist_free_all);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    const CURLcode code = curl_easy_perform(curl);
    if (answer.is_too_large) return failed(Kind::refused, "answers with more than can be read");
    if (code != CURLE_OK) {
        const std::string said = message.c_str();
        return failed(was_sent(curl, code) ? Kind::unanswered : Kind::unreachable,
                      "cannot be reached: " + (said.empty() ? curl_easy_strerror(code) : said));
    }
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        const std::string why = first_line(answer.text);
        return failed(Kind::refused,
                      "refuses (" + std::to_string(status) + ")" + (why.empty() ? "" : ": " + why),
                      codes_of(answer.text));
    }
    return std::move(answer.text);
}

bool is_about_password(int code) {
    return (code >= 192 && code <= 194) || code == 516;
}

Client::Parameters insert_settings(unsigned release, Client::Repeated repeated) {
    // A setting that a release does not know is refused.
    constexpr unsigned kKnowsAsynchronous = 21'011;
    constexpr unsigned kOneForAllInserts = 26'002;  // goes before insert_deduplicate
    Client::Parameters parameters;
    if (release >= kKnowsAsynchronous) parameters.emplace_back("async_insert", "0");
    if (repeated == Client::Repeated::left_out) return parameters;
    parameters.emplace_back("insert_deduplicate", "0");
    if (release >= kOneForAllInserts) parameters.emplace_back("deduplicate_insert", "disable");
    return parameters;
}

std::string literal(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string out = "'";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f || c == '\'' || c == '\\') {
            out += "\\x";
            out += kDigits[byte >> 4];
            out += kDigits[byte & 15];
        } else {
            out += c;
        }
    }
    return out + "'";
}

std::string identifier(std::string_view name) {
    return "`" + std::string(name) + "`";
}

}  // namespace edgecase::clickhouse
