// Owns a running lab: its ports, its threads, their end.
#pragma once

#include <array>
#include <atomic>
#include <expected>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "ip/endpoint.hpp"
#include "lab/certificates.hpp"
#include "lab/ports.hpp"
#include "lab/session.hpp"
#include "lab/silent_ports.hpp"
#include "lab/socket.hpp"
#include "lab/tls_stream.hpp"

namespace edgecase::lab {

struct LabOptions {
    /// The main port. The further ports follow it where they are free, and are any free ones
    /// otherwise; with port 0 all are any free ones.
    ip::Endpoint listen{ip::Address::v4(0x7f000001), 0};
};

class Lab {
  public:
    /// Errors: a sentence that names the address which could not be used.
    static std::expected<std::unique_ptr<Lab>, std::string> start(const LabOptions& options);

    Lab(const Lab&) = delete;
    Lab& operator=(const Lab&) = delete;
    ~Lab() { stop(); }

    const Ports& ports() const { return ports_; }

    /// Ends every connection and waits for every thread. May be called again.
    void stop();

  private:
    /// One thread per connection; further clients wait in the accept queue.
    static constexpr size_t kMaxConnections = 256;

    struct Slot {
        std::atomic<bool> is_busy = false;
        std::jthread thread;
    };

    struct Listener {
        Socket socket;
        TlsContext context;
        Entrance entrance;
    };

    Lab() = default;
    std::expected<void, std::string> open(const ip::Endpoint& listen);
    std::expected<void, std::string> open_tls(const ip::Endpoint& listen);
    std::expected<ip::Endpoint, std::string> add_listener(const ip::Endpoint& at, bool fall_back,
                                                          Target target, const TlsPort* tls,
                                                          const Scenario* scenario);
    void accept_connections();
    void begin_session(Socket socket, const Entrance& entrance);

    Ports ports_;
    Socket stop_event_;
    std::optional<Certificates> certificates_;
    CertificateFiles files_;
    std::vector<Listener> listeners_;
    Socket closed_;
    FullQueue full_queue_;
    Socket dns_;
    Socket resolver_down_;
    std::atomic<bool> is_stopping_ = false;
    std::counting_semaphore<kMaxConnections + 1> free_slots_{kMaxConnections};
    std::array<Slot, kMaxConnections> slots_;
    std::jthread acceptor_;
    std::jthread name_server_;
};

}  // namespace edgecase::lab
