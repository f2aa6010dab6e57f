#include "net/resolver.hpp"

#include <ares.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "net/descriptor.hpp"
#include "net/socket_address.hpp"

namespace edgecase::net {
namespace {

constexpr std::chrono::milliseconds kTickInterval{50};  // c-ares counts its own timeouts with it
constexpr std::chrono::seconds kMaximumTtl{3600};
// A failure is remembered this long, so that a dead name does not become a flood of questions.
constexpr std::chrono::seconds kFailureTtl{1};
// Source: RFC 8305 3 and 8, Resolution Delay.
constexpr std::chrono::milliseconds kResolutionDelay{50};
constexpr size_t kMaximumEntries = 4096;
// Once there are old addresses to fall back to, nobody waits longer for new ones.
// Source: RFC 8767 5, client response timer.
constexpr std::chrono::milliseconds kStaleWait{1800};

DnsErrorKind kind_of(int status) {
    switch (status) {
        case ARES_ENOTFOUND:
        case ARES_ENONAME:
            return DnsErrorKind::nxdomain;
        case ARES_ENODATA:
            return DnsErrorKind::nodata;
        case ARES_ESERVFAIL:
            return DnsErrorKind::servfail;
        case ARES_EREFUSED:
            return DnsErrorKind::refused;
        case ARES_ETIMEOUT:
            return DnsErrorKind::timeout;
        case ARES_ECONNREFUSED:
            return DnsErrorKind::unreachable;
        case ARES_EBADRESP:
        case ARES_EBADNAME:
        case ARES_EFORMERR:
            return DnsErrorKind::malformed;
        default:
            return DnsErrorKind::other;
    }
}

/// Of two families' failures the one that says more: a family without addresses is no trouble, and
/// a server that answered knows more than one that did not.
const DnsError& more_telling(const DnsError& one, const DnsError& other) {
    constexpr std::array kOrder{DnsErrorKind::nxdomain,    DnsErrorKind::servfail,
                                DnsErrorKind::refused,     DnsErrorKind::malformed,
                                DnsErrorKind::unreachable, DnsErrorKind::timeout,
                                DnsErrorKind::other,       DnsErrorKind::nodata};
    const auto rank = [&](const DnsError& error) { return std::ranges::find(kOrder, error.kind); };
    return rank(other) < rank(one) ? other : one;
}

bool has_route(const ip::Address& to) {
    const int fd = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    const SocketAddress address({to, 53});  // any port: nothing is sent
    const bool reachable = ::connect(fd, address.get(), address.size()) == 0;
    ::close(fd);
    return reachable;
}

/// IPv6 first where it can be reached, but for the prefixes that rank below IPv4: 6to4, Teredo and
/// unique local addresses. Source: RFC 6724 2.1 and 6; RFC 8305 4.
bool prefers_v6(const ip::Address& v6) {
    const auto& bytes = v6.bytes();
    const bool is_6to4 = bytes[0] == 0x20 && bytes[1] == 0x02;
    const bool is_teredo =
        bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x00 && bytes[3] == 0x00;
    const bool is_unique_local = (bytes[0] & 0xfe) == 0xfc;
    return !is_6to4 && !is_teredo && !is_unique_local && has_route(v6);
}

/// Families in turn, so that one that is broken costs one attempt. Source: RFC 8305 4.
std::vector<ip::Address> interleave(const std::vector<ip::Address>& v6,
                                    const std::vector<ip::Address>& v4) {
    if (v6.empty() || v4.empty()) return v6.empty() ? v4 : v6;
    const bool v6_first = prefers_v6(v6.front());
    const auto& first = v6_first ? v6 : v4;
    const auto& second = v6_first ? v4 : v6;
    std::vector<ip::Address> result;
    for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) result.push_back(first[i]);
        if (i < second.size()) result.push_back(second[i]);
    }
    return result;
}

struct Found {
    std::vector<ip::Address> v6;
    std::vector<ip::Address> v4;
    std::chrono::seconds ttl = kMaximumTtl;
};

Found take(ares_addrinfo* info) {
    Found found;
    if (info == nullptr) return found;
    for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
        sockaddr_storage storage{};
        std::memcpy(&storage, node->ai_addr, std::min<size_t>(node->ai_addrlen, sizeof storage));
        const ip::Address address = SocketAddress::endpoint_of(storage).address;
        (address.is_v4() ? found.v4 : found.v6).push_back(address);
        found.ttl = std::min(found.ttl, std::chrono::seconds(std::max(1, node->ai_ttl)));
    }
    ares_freeaddrinfo(info);
    return found;
}

}  // namespace

/// A duplicate of a c-ares socket in our loop: c-ares closes its own whenever it likes.
struct Resolver::Socket : Waiter {
    Socket(Resolver& r, int f, Descriptor* d)
        : Waiter([](Waiter& w) { static_cast<Socket&>(w).on_event(); }),
          resolver(r),
          fd(f),
          descriptor(d) {
        descriptor->reader = this;
    }
    ~Socket() { descriptor->close(true); }
    void on_event() {
        descriptor->readable = false;
        resolver.process(fd);
    }
    Resolver& resolver;
    int fd;
    Descriptor* descriptor;
};

std::expected<std::unique_ptr<Resolver>, std::string> Resolver::create(Loop& loop,
                                                                       ResolverOptions wanted) {
    static const int library_status = ares_library_init(ARES_LIB_INIT_ALL);
    if (library_status != ARES_SUCCESS) return std::unexpected(ares_strerror(library_status));
    std::unique_ptr<Resolver> resolver(new Resolver(loop, std::move(wanted)));
    for (auto& [channel, lookups] :
         {std::pair{&resolver->channel_, "b"}, std::pair{&resolver->hosts_file_, "f"}}) {
        const auto made = resolver->make_channel(lookups);
        if (!made) return std::unexpected(made.error());
        *channel = *made;
    }
    return resolver;
}

std::expected<ares_channeldata*, std::string> Resolver::make_channel(const char* lookups) {
    ares_options options{};
    // Two tries, the second waiting twice as long: three parts of the whole, and a rest in which
    // what c-ares makes of them is still heard.
    options.timeout = std::max(1, static_cast<int>(options_.timeout.count() * 9 / 10 / 3));
    options.tries = 2;
    options.flags = ARES_FLAG_NOCHECKRESP;  // else c-ares hides SERVFAIL and REFUSED from us
    options.lookups = const_cast<char*>(lookups);
    options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
        static_cast<Resolver*>(self)->watch(fd, readable != 0 || writable != 0);
    };
    options.sock_state_cb_data = this;
    const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS | ARES_OPT_LOOKUPS |
                     ARES_OPT_SOCK_STATE_CB;
    ares_channeldata* channel = nullptr;
    int status = ares_init_options(&channel, &options, mask);
    if (status == ARES_SUCCESS && options_.server) {
        status = ares_set_servers_ports_csv(channel, server_text_.c_str());
        if (status != ARES_SUCCESS) ares_destroy(channel);
    }
    if (status != ARES_SUCCESS) return std::unexpected(ares_strerror(status));
    return channel;
}

Resolver::Resolver(Loop& loop, ResolverOptions options)
    : loop_(loop),
      options_(std::move(options)),
      server_text_(options_.server ? options_.server->to_string() : std::string()),
      tick_(*this) {}

Resolver::~Resolver() {
    if (channel_ != nullptr) ares_destroy(channel_);
    if (hosts_file_ != nullptr) ares_destroy(hosts_file_);
}

Resolver::Entry::Entry(Resolver& r, std::string n)
    : name(std::move(n)),
      resolver(r),
      v6(*this, AF_INET6),
      v4(*this, AF_INET),
      answered(r.loop_),
      settle(*this) {
    if (r.options_.memory == nullptr) return;
    if (auto known = r.options_.memory->find(name + "@" + r.server_text_)) {
        addresses = std::move(known->addresses);
        usable_until = known->fresh_until + r.options_.stale;
    }
}

Resolver::Entry& Resolver::entry_of(const std::string& name) {
    const auto found = entries_.find(name);
    if (found != entries_.end()) return *found->second;
    if (entries_.size() >= kMaximumEntries) {
        std::erase_if(entries_, [&](const auto& item) {
            return !item.second->is_asked() && item.second->expires <= loop_.now() &&
                   !has_stale(*item.second);
        });
    }
    return *entries_.emplace(name, std::make_unique<Entry>(*this, name)).first->second;
}

bool Resolver::has_stale(const Entry& entry) const {
    return !entry.addresses.empty() && entry.usable_until > loop_.now();
}

std::expected<Resolution, DnsError> Resolver::answer(const Entry& entry) const {
    if (!entry.failure) return Resolution{entry.addresses};
    if (has_stale(entry)) return Resolution{entry.addresses, entry.failure};
    return std::unexpected(*entry.failure);
}

Task<std::expected<Resolution, DnsError>> Resolver::resolve(std::string name,
                                                            base::Deadline deadline) {
    if (const auto literal = ip::Address::parse(name)) {
        co_return Resolution{std::vector{*literal}};
    }
    Entry& entry = entry_of(name);
    if (!entry.in_flight && entry.expires <= loop_.now()) start(entry);
    if (!entry.in_flight) co_return answer(entry);

    const bool stale = has_stale(entry);
    // What has failed is asked again beside the requests: they go on with what there is.
    if (stale && entry.failure) co_return answer(entry);
    const bool answered =
        co_await entry.answered.wait(stale ? deadline.earlier(loop_.after(kStaleWait)) : deadline);
    if (answered) co_return answer(entry);
    DnsError late{DnsErrorKind::timeout, "no answer in time", server_text_};
    for (const Question* const one : {&entry.v6, &entry.v4}) {
        if (one->failure && !one->in_flight) late = more_telling(late, *one->failure);
    }
    if (!stale) co_return std::unexpected(late);
    if (entry.in_flight) entry.failure = late;
    co_return Resolution{entry.addresses, late};
}

void Resolver::start(Entry& entry) {
    if (ask_hosts_file(entry)) return;
    entry.in_flight = true;
    ask(entry.v6);
    ask(entry.v4);
}

/// Answers at once. A name that stands there is not asked for elsewhere, in neither family.
bool Resolver::ask_hosts_file(Entry& entry) {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NUMERICSERV;
    Found found;
    ares_getaddrinfo(
        hosts_file_, entry.name.c_str(), nullptr, &hints,
        [](void* arg, int, int, ares_addrinfo* result) {
            *static_cast<Found*>(arg) = take(result);
        },
        &found);
    if (found.v4.empty() && found.v6.empty()) return false;
    entry.v6.addresses = std::move(found.v6);
    entry.v4.addresses = std::move(found.v4);
    entry.v6.expires = entry.v4.expires = loop_.now() + found.ttl;
    take_addresses(entry);
    return true;
}

void Resolver::ask(Question& question) {
    if (question.in_flight) return;  // the answer to the last time's has yet to come
    question.in_flight = true;
    question.failure.reset();
    question.addresses.clear();
    if (in_flight_++ == 0) loop_.timers().arm(tick_, loop_.after(kTickInterval));
    ares_addrinfo_hints hints{};
    hints.ai_family = question.family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NUMERICSERV;
    ares_getaddrinfo(
        channel_, question.entry.name.c_str(), nullptr, &hints,
        [](void* arg, int status, int, ares_addrinfo* result) {
            if (status == ARES_EDESTRUCTION) return;
            auto* const self = static_cast<Question*>(arg);
            self->entry.resolver.finish(*self, status, result);
        },
        &question);
}

void Resolver::finish(Question& question, int status, ares_addrinfo* result) {
    question.in_flight = false;
    if (--in_flight_ == 0) tick_.disarm();
    Found found = take(result);
    question.addresses = std::move(question.family == AF_INET ? found.v4 : found.v6);
    if (question.addresses.empty()) {
        const DnsErrorKind kind = status == ARES_SUCCESS ? DnsErrorKind::nodata : kind_of(status);
        question.failure = DnsError{kind, ares_strerror(status), server_text_};
    } else {
        question.expires = loop_.now() + found.ttl;
    }
    Entry& entry = question.entry;
    const Question& other = question.family == AF_INET ? entry.v6 : entry.v4;
    if (!entry.in_flight) {
        // It was not waited for: an addition to what the other family gave.
        if (!question.addresses.empty() && !other.addresses.empty()) take_addresses(entry);
    } else if (!other.in_flight) {
        conclude(entry);
    } else if (!question.addresses.empty()) {
        loop_.timers().arm(entry.settle, loop_.after(kResolutionDelay));
    }
}

void Resolver::conclude(Entry& entry) {
    entry.settle.disarm();
    entry.in_flight = false;
    if (!entry.v6.addresses.empty() || !entry.v4.addresses.empty()) {
        take_addresses(entry);
    } else {
        entry.failure = more_telling(*entry.v4.failure, *entry.v6.failure);
        entry.expires = loop_.now() + kFailureTtl;
    }
    entry.answered.notify_all();
}

void Resolver::take_addresses(Entry& entry) {
    entry.addresses = interleave(entry.v6.addresses, entry.v4.addresses);
    entry.failure.reset();
    entry.expires = entry.v6.addresses.empty()   ? entry.v4.expires
                    : entry.v4.addresses.empty() ? entry.v6.expires
                                                 : std::min(entry.v6.expires, entry.v4.expires);
    entry.usable_until = entry.expires + options_.stale;
    if (options_.memory != nullptr) {
        options_.memory->keep(entry.name + "@" + server_text_, {entry.addresses, entry.expires});
    }
}

void Resolver::watch(int fd, bool wanted) {
    if (!wanted) {
        sockets_.erase(fd);
        return;
    }
    if (sockets_.contains(fd)) return;
    const int copy = ::dup(fd);
    if (copy < 0) return;  // the tick still polls it
    Descriptor* const descriptor = Descriptor::watch(loop_, copy);
    if (descriptor != nullptr) {
        sockets_.emplace(fd, std::make_unique<Socket>(*this, fd, descriptor));
    }
}

void Resolver::process(int fd) {
    ares_process_fd(channel_, fd, fd);
}

void Resolver::tick() {
    loop_.timers().arm(tick_, loop_.after(kTickInterval));
    std::vector<int> open;
    for (const auto& [fd, socket] : sockets_) open.push_back(fd);
    if (open.empty()) open.push_back(ARES_SOCKET_BAD);
    for (const int fd : open) ares_process_fd(channel_, fd, fd);
    if (in_flight_ == 0) tick_.disarm();
}

}  // namespace edgecase::net
