#include "tls/handshake.hpp"

namespace edgecase::tls {
namespace {

HandshakeError internal(std::string detail, std::string name) {
    HandshakeError error;
    error.detail = std::move(detail);
    error.error = net::Error{net::ErrorKind::other};
    error.wanted_name = std::move(name);
    return error;
}

}  // namespace

net::Task<std::expected<HandshakeFacts, HandshakeError>> shake_hands(net::Stream& stream,
                                                                     base::Deadline deadline) {
    auto& layer = static_cast<TlsLayer&>(*stream.layer());
    const base::Clock& clock = stream.descriptor().loop().clock();
    const base::SteadyTime begun = clock.now();
    std::optional<net::Error> wait_error;
    for (;;) {
        const TlsLayer::Step step = layer.step();
        if (step == TlsLayer::Step::done) {
            HandshakeFacts facts = layer.facts(clock.wall_now());
            layer.finish_handshake();
            co_return facts;
        }
        if (step == TlsLayer::Step::failed) break;
        std::expected<void, net::Error> waited;
        if (step == TlsLayer::Step::wants_output) {
            waited = co_await stream.wait_writable(deadline);
        } else {
            waited = co_await stream.wait_readable(deadline);
        }
        if (!waited) {
            wait_error = waited.error();
            break;
        }
    }
    HandshakeError error = layer.error(wait_error, clock.wall_now());
    error.elapsed = clock.now() - begun;
    co_return std::unexpected(std::move(error));
}

net::Task<std::expected<HandshakeFacts, HandshakeError>> connect(
    net::Stream& stream, ClientContext& context, std::string name, std::string session_key,
    bool offer_h2, base::Deadline deadline) {
    auto layer = context.open(stream.descriptor(), name, std::move(session_key), offer_h2);
    if (!layer) co_return std::unexpected(internal(std::move(layer.error()), std::move(name)));
    stream.set_layer(std::move(*layer));
    co_return co_await shake_hands(stream, deadline);
}

net::Task<std::expected<HandshakeFacts, HandshakeError>> accept(net::Stream& stream,
                                                                ServerContext& context,
                                                                base::Deadline deadline) {
    auto layer = context.open(stream.descriptor());
    if (layer == nullptr) co_return std::unexpected(internal("out of memory", {}));
    stream.set_layer(std::move(layer));
    auto shaken = co_await shake_hands(stream, deadline);
    // So that whoever spoke HTTP can be answered in HTTP.
    if (!shaken && shaken.error().fault == HandshakeFault::peer_plaintext) {
        stream.set_layer(nullptr);
    }
    co_return shaken;
}

const LayerFault* fault(const net::Stream& stream) {
    const auto* const layer = stream ? dynamic_cast<const TlsLayer*>(stream.layer()) : nullptr;
    return layer != nullptr ? layer->fault() : nullptr;
}

}  // namespace edgecase::tls
