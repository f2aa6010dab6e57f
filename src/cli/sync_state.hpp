// Owns what a sync remembers of its file from one run to the next: the last good copy, and whether
// a reload is owed.
#pragma once

#include <expected>
#include <optional>
#include <string>

namespace edgecase::cli {

/// What the file had when whoever reads it was last told. nullopt: there was none.
using LastGood = std::optional<std::string>;

class SyncState {
  public:
    /// `folder`: where it is kept; empty: the folder that systemd gives (STATE_DIRECTORY), else
    /// beside the file, under names that begin with a dot: servers include all files of a folder,
    /// but none of those. Waits until no other sync is at work there. Errors: a sentence.
    static std::expected<SyncState, std::string> open(const std::string& file, std::string folder);
    SyncState(SyncState&& other) noexcept;
    SyncState& operator=(SyncState&&) = delete;
    ~SyncState();

    /// A run ended, by whatever, after it began to write and before the reload succeeded.
    bool owes_reload() const { return owes_reload_; }
    /// What a reload that fails is taken back to, `now` being what the file has. Errors: a
    /// sentence.
    std::expected<LastGood, std::string> last_good(const LastGood& now) const;
    /// Before the file is written: keeps what it has, and that a reload is owed, on disk.
    std::expected<void, std::string> begin(const LastGood& good, bool reloads);
    /// The reload succeeded.
    std::expected<void, std::string> end();

  private:
    SyncState(std::string file, std::string stem, int lock);

    std::string file_;
    std::string previous_, pending_;
    int lock_;
    bool owes_reload_ = false;
};

}  // namespace edgecase::cli
