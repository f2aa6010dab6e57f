// Owns the finding of the records that a command is asked about: a folder's, or a ledger's.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "clickhouse/settings.hpp"
#include "config/settings.hpp"
#include "record/follower.hpp"
#include "record/source.hpp"

namespace edgecase::cli {

struct LedgerFlags {
    std::string data_dir;  // empty: that of `config`, or edgecase-data
    std::string config;    // an edge's TOML file: where its records are
    std::string node;      // only what that edge recorded
};

struct Ledger {
    std::string data_dir;                          // of a store in SQLite
    std::optional<clickhouse::Settings> settings;  // in ClickHouse instead
    std::string node;                              // only what that edge recorded; empty: all
    /// For people: the folder, or the database and its first URL.
    std::string name() const;
};

/// Errors: a sentence (the file is wrong, a password cannot be read).
std::expected<Ledger, std::string> find_ledger(const LedgerFlags& flags);

/// For a sentence about what a command was asked of; the flags have been found right.
std::string ledger_name(const LedgerFlags& flags);

/// What a command is asked about, to be read. Null: `status` is the command's, and why has been
/// told.
std::unique_ptr<record::Source> open_source(const LedgerFlags& flags, int& status);
/// Errors: a sentence.
std::expected<std::unique_ptr<record::Source>, std::string> open_source(const Ledger& ledger);
std::unique_ptr<record::Follower> make_follower(const Ledger& ledger);

/// Says which parts of the ledger did not take part in the last answer, if any.
void tell_missing(record::Source& source);
void tell_missing(const std::vector<std::string>& parts);

/// With the password, read from its file or the environment. Errors: a sentence.
std::expected<clickhouse::Settings, std::string> ledger_settings(const config::Ledger& ledger);
/// What the edge is called in its ledger: as configured, or the machine's name.
std::string node_name(const config::Ledger& ledger);

}  // namespace edgecase::cli
