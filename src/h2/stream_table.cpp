#include "h2/stream_table.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/byte_buffer.hpp"

namespace edgecase::h2 {
namespace {

void empty(base::ByteBuffer& buffer, size_t kept_bytes) {
    if (buffer.capacity() > kept_bytes) {
        buffer.release();
    } else {
        buffer.clear();
    }
}

}  // namespace

Stream& StreamTable::take() {
    if (free_.empty()) {
        all_.push_back(std::make_unique<Stream>());
        return *all_.back();
    }
    Stream& stream = *free_.back();
    free_.pop_back();
    return stream;
}

void StreamTable::give_back(Stream& stream) {
    // Everything begins anew but the storage, which is what makes the next stream cheap.
    Stream fresh;
    for (base::ByteBuffer* const buffer : {&stream.text, &stream.head_text, &stream.payload}) {
        empty(*buffer, kKeptBytes);
    }
    fresh.text = std::move(stream.text);
    fresh.head_text = std::move(stream.head_text);
    fresh.payload = std::move(stream.payload);
    fresh.request_head = std::move(stream.request_head);
    fresh.response_head = std::move(stream.response_head);
    fresh.body = std::move(stream.body);
    stream = std::move(fresh);
    free_.push_back(&stream);
}

void StreamTable::put(Stream& stream) {
    size_t slot = slot_of(stream.id);
    while (slots_[slot] != nullptr) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = &stream;
}

void StreamTable::insert(Stream& stream) {
    if ((size_ + 1) * 2 > slots_.size()) {
        std::vector<Stream*> old(slots_.size() * 2);
        std::swap(old, slots_);
        for (Stream* const other : old) {
            if (other != nullptr) put(*other);
        }
    }
    put(stream);
    ++size_;
}

void StreamTable::erase(uint32_t id) {
    const size_t mask = slots_.size() - 1;
    size_t hole = slot_of(id);
    while (slots_[hole] != nullptr && slots_[hole]->id != id) hole = (hole + 1) & mask;
    if (slots_[hole] == nullptr) return;
    --size_;
    // Later ones of the same run move up, so that a search never meets a hole before its aim.
    for (size_t next = (hole + 1) & mask; slots_[next] != nullptr; next = (next + 1) & mask) {
        const size_t home = slot_of(slots_[next]->id);
        if (((next - home) & mask) < ((next - hole) & mask)) continue;
        slots_[hole] = slots_[next];
        hole = next;
    }
    slots_[hole] = nullptr;
}

Stream* StreamTable::find(uint32_t id) const {
    const size_t mask = slots_.size() - 1;
    for (size_t slot = slot_of(id); slots_[slot] != nullptr; slot = (slot + 1) & mask) {
        if (slots_[slot]->id == id) return slots_[slot];
    }
    return nullptr;
}

}  // namespace edgecase::h2
