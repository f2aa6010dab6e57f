#include "net/resolver.hpp"

#include <ares.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "net/descriptor.hpp"
#include "net/socket_address.hpp"

namespace edgecase::net {
namespace {

constexpr std::chrono::milliseconds kTickInterval{50};  // c-ares counts its own timeouts with it
constexpr std::chrono::seconds kMaximumTtl{3600};
// A failure is remembered this long, so that a dead name does not become a flood of questions.
constexpr std::chrono::seconds kFailureTtl{1};
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

/// Families in turn, so that one that is broken costs one attempt. Source: RFC 8305 4.
std::vector<ip::Address> interleave(const std::vector<ip::Address>& sorted) {
    std::vector<ip::Address> result;
    const auto is_first = [&](const ip::Address& one) {
        return one.is_v4() == sorted.front().is_v4();
    };
    auto same = sorted.begin();
    auto other = std::ranges::find_if_not(sorted, is_first);
    while (same != sorted.end() || other != sorted.end()) {
        if (same != sorted.end()) result.push_back(*same++);
        if (other != sorted.end()) result.push_back(*other++);
        same = std::find_if(same, sorted.end(), is_first);
        other = std::find_if_not(other, sorted.end(), is_first);
    }
    return result;
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
    std::unique_ptr<Resolver> resolver(new Resolver(loop, wanted));
    ares_options options{};
    // Two tries, the second waiting twice as long: three parts of the whole.
    options.timeout = std::max(1, static_cast<int>(wanted.timeout.count() / 3));
    options.tries = 2;
    options.flags = ARES_FLAG_NOCHECKRESP;  // else c-ares hides SERVFAIL and REFUSED from us
    options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
        static_cast<Resolver*>(self)->watch(fd, readable != 0 || writable != 0);
    };
    options.sock_state_cb_data = resolver.get();
    const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB;
    int status = ares_init_options(&resolver->channel_, &options, mask);
    if (status == ARES_SUCCESS && wanted.server) {
        status = ares_set_servers_ports_csv(resolver->channel_, resolver->server_text_.c_str());
    }
    if (status != ARES_SUCCESS) return std::unexpected(ares_strerror(status));
    return resolver;
}

Resolver::Resolver(Loop& loop, ResolverOptions options)
    : loop_(loop),
      options_(options),
      server_text_(options.server ? options.server->to_string() : std::string()),
      tick_(*this) {}

Resolver::~Resolver() {
    if (channel_ != nullptr) ares_destroy(channel_);
}

Resolver::Entry& Resolver::entry_of(const std::string& name) {
    const auto found = entries_.find(name);
    if (found != entries_.end()) return *found->second;
    if (entries_.size() >= kMaximumEntries) {
        std::erase_if(entries_, [&](const auto& item) {
            return !item.second->in_flight && item.second->expires <= loop_.now() &&
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
    const DnsError late{DnsErrorKind::timeout, "no answer in time", server_text_};
    if (!stale) co_return std::unexpected(late);
    if (entry.in_flight) entry.failure = late;
    co_return Resolution{entry.addresses, late};
}

void Resolver::start(Entry& entry) {
    entry.in_flight = true;
    if (in_flight_++ == 0) loop_.timers().arm(tick_, loop_.after(kTickInterval));
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NUMERICSERV;
    ares_getaddrinfo(
        channel_, entry.name.c_str(), nullptr, &hints,
        [](void* arg, int status, int, ares_addrinfo* result) {
            if (status == ARES_EDESTRUCTION) return;
            auto* const self = static_cast<Entry*>(arg);
            self->resolver.finish(*self, status, result);
        },
        &entry);
}

void Resolver::finish(Entry& entry, int status, void* addresses) {
    entry.in_flight = false;
    if (--in_flight_ == 0) tick_.disarm();
    auto* const info = static_cast<ares_addrinfo*>(addresses);
    std::vector<ip::Address> found;
    std::chrono::seconds ttl = kMaximumTtl;
    if (status == ARES_SUCCESS && info != nullptr) {
        for (const ares_addrinfo_node* node = info->nodes; node != nullptr; node = node->ai_next) {
            sockaddr_storage storage{};
            std::memcpy(&storage, node->ai_addr,
                        std::min<size_t>(node->ai_addrlen, sizeof storage));
            found.push_back(SocketAddress::endpoint_of(storage).address);
            ttl = std::min(ttl, std::chrono::seconds(std::max(1, node->ai_ttl)));
        }
    }
    if (info != nullptr) ares_freeaddrinfo(info);
    if (found.empty()) {
        const DnsErrorKind kind = status == ARES_SUCCESS ? DnsErrorKind::nodata : kind_of(status);
        entry.failure = DnsError{kind, ares_strerror(status), server_text_};
        entry.expires = loop_.now() + kFailureTtl;
    } else {
        entry.addresses = interleave(found);
        entry.failure.reset();
        entry.expires = loop_.now() + ttl;
        entry.usable_until = entry.expires + options_.stale;
    }
    entry.answered.notify_all();
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
