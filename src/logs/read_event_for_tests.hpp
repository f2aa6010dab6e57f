// Owns a test's way to read one line as an event that stays valid.
#pragma once

#include <memory>
#include <string_view>

#include "logs/event_formats.hpp"
#include "logs/padded_line_for_tests.hpp"

namespace edgecase::logs {

constexpr LogTime kTen = 1'793'527'200'000'000;  // 2026-11-01T10:00:00Z

class ReadEvent {
  public:
    ReadEvent(std::string_view format, std::string_view text,
              const EventContext& context = {.near = kTen})
        : line_(text), reader_(event_reader(format, context)) {
        if (reader_ != nullptr) parsed = reader_->read(line_, event);
    }
    const EventView* operator->() const { return &event; }

    EventView event;
    Parsed parsed = Parsed::failed;

  private:
    PaddedLine line_;
    std::unique_ptr<EventReader> reader_;
};

}  // namespace edgecase::logs
