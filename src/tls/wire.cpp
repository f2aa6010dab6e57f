#include "tls/wire.hpp"

#include <algorithm>
#include <cstring>

namespace edgecase::tls {

/// OpenSSL's view of a Wire.
struct WireBio {
    static Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* into, size_t size, size_t* got) {
        BIO_clear_retry_flags(bio);
        *got = 0;
        Wire& wire = wire_of(bio);
        if (wire.inbound_.empty()) {
            const Wire::Fill filled = wire.fill();
            if (filled == Wire::Fill::blocked) BIO_set_retry_read(bio);
            if (filled != Wire::Fill::filled) return 0;
        }
        *got = std::min(size, wire.inbound_.size());
        std::memcpy(into, wire.inbound_.data(), *got);
        wire.inbound_.taken(*got);
        return 1;
    }

    static int write(BIO* bio, const char* from, size_t size, size_t* written) {
        BIO_clear_retry_flags(bio);
        *written = 0;
        Wire& wire = wire_of(bio);
        if (wire.outbound_.room() < size) wire.flush();
        *written = std::min(size, wire.outbound_.room());
        if (*written == 0) {
            BIO_set_retry_write(bio);
            return 0;
        }
        std::memcpy(wire.outbound_.tail(), from, *written);
        wire.outbound_.added(*written);
        return 1;
    }

    static long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
        switch (command) {
            case BIO_CTRL_FLUSH:  // the layer flushes, once for many records
                return 1;
            case BIO_CTRL_EOF:
                return wire_of(bio).got_fin_ ? 1 : 0;
            default:
                return 0;
        }
    }

    static int create(BIO* bio) {
        BIO_set_init(bio, 1);
        return 1;
    }

    static BIO_METHOD* make_method() {
        BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
        if (method == nullptr) return nullptr;
        BIO_meth_set_read_ex(method, read);
        BIO_meth_set_write_ex(method, write);
        BIO_meth_set_ctrl(method, control);
        BIO_meth_set_create(method, create);
        return method;
    }
};

BIO* Wire::make_bio() {
    static BIO_METHOD* const method = WireBio::make_method();
    if (method == nullptr) return nullptr;
    BIO* const bio = BIO_new(method);
    if (bio != nullptr) BIO_set_data(bio, this);
    return bio;
}

Wire::Fill Wire::fill() {
    if (got_fin_ || read_error_) return Fill::ended;
    if (held_ || !descriptor_.readable) return Fill::blocked;
    const net::Layer::Result got = descriptor_.receive({inbound_.tail(), inbound_.room()});
    const bool is_done = got.kind == net::Layer::Result::Kind::done;
    inbound_.added(is_done ? got.bytes : 0);
    if (got.kind == net::Layer::Result::Kind::blocked) return Fill::blocked;
    if (!is_done) read_error_ = got.error;
    if (is_done && got.bytes == 0) got_fin_ = true;
    if (inbound_.empty()) return Fill::ended;
    if (first_bytes_ != nullptr && first_bytes_->size() < kFirstBytes) {
        first_bytes_->append(inbound_.data(),
                             std::min(inbound_.size(), kFirstBytes - first_bytes_->size()));
    }
    return Fill::filled;
}

Wire::Flush Wire::flush() {
    if (write_error_) {
        outbound_.clear();
        return Flush::failed;
    }
    while (!outbound_.empty()) {
        const net::Layer::Result sent = descriptor_.send({outbound_.data(), outbound_.size()});
        switch (sent.kind) {
            case net::Layer::Result::Kind::done:
                outbound_.taken(sent.bytes);
                continue;
            case net::Layer::Result::Kind::blocked:
                return Flush::blocked;
            case net::Layer::Result::Kind::failed:
                break;
        }
        write_error_ = sent.error;
        outbound_.clear();
        return Flush::failed;
    }
    return Flush::done;
}

void Wire::drop_all() {
    inbound_.clear();
    outbound_.clear();
}

}  // namespace edgecase::tls
