// Owns the setting of the keys of `[ledger]`, and what they demand of each other.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/settings.hpp"
#include "config/values.hpp"

namespace edgecase::config {

Problem set_ledger_kind(Settings& settings, const Value& value);
Problem add_ledger_url(Settings& settings, const Value& value);
Problem set_ledger_database(Settings& settings, const Value& value);
Problem set_ledger_user(Settings& settings, const Value& value);
Problem set_ledger_password_env(Settings& settings, const Value& value);
Problem set_ledger_cluster(Settings& settings, const Value& value);
Problem set_ledger_node(Settings& settings, const Value& value);
Problem set_ledger_secrets(Settings& settings, const Value& value);

// Files: the values are whole paths, already checked.
Problem set_ledger_password_file(Settings& settings, const Value& value);
Problem set_ledger_ca(Settings& settings, const Value& value);

/// A name that needs no quoting in SQL: letters, digits and `_`, no digit first.
bool is_word(std::string_view text);

/// The key that is at odds with another, and why. Empty: all is well.
std::optional<std::pair<std::string, std::string>> ledger_conflict(const Settings& settings);

}  // namespace edgecase::config
