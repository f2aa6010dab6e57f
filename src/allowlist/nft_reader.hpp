// Owns the reading of nft's language: tables, chains and sets, and the rules in chains.
#pragma once

#include <map>
#include <string>

#include "allowlist/nft_keys.hpp"
#include "allowlist/readers.hpp"

namespace edgecase::allowlist {

class NftReader {
  public:
    /// `is_translated`: the text was made from JSON, and its lines are nobody's.
    NftReader(Reading& into, uint32_t file, std::string_view text, bool is_translated)
        : into_(into), file_(file), lexer_(text), text_(text), is_translated_(is_translated) {}

    ReadResult read();

  private:
    struct Table {
        std::string scope;  // `nft inet filter`
        std::string family;
        bool v4 = true;
        bool v6 = true;
        size_t first_stage = 0;
    };

    ReadResult fail(std::string what);
    ReadResult too_many_expanded();
    ReadResult read_table();
    ReadResult read_table_item(const Table& table, bool& is_dormant);
    ReadResult read_chain(const Table& table);
    ReadResult read_hook(const Table& table, std::string_view chain_name, uint32_t chain);
    void bind_to_devices(Stage& stage, std::string devices);
    ReadResult read_set(const Table& table, bool is_map);
    void fill_set(SetBuilder& set, const std::vector<NftElement>& elements);
    void read_definition();
    uint32_t chain_at(const Table& table, std::string_view name);
    Place place(uint32_t line, uint64_t handle) const {
        return {file_, is_translated_ ? 0 : line, handle};
    }

    Reading& into_;
    uint32_t file_;
    NftLexer lexer_;
    std::string_view text_;
    bool is_translated_;
    NftDefinitions definitions_;
    std::map<std::string, uint32_t> chains_;
    size_t rules_ = 0;  // so far

    friend class NftRule;
};

/// Reads one rule of a chain, which may become several: one for each element of a verdict map.
class NftRule {
  public:
    NftRule(NftReader& reader, const NftReader::Table& table, Chain& chain)
        : reader_(reader),
          table_(table),
          chain_(chain),
          lexer_(reader.lexer_),
          scope_{reader.into_.sets, table.scope} {}
    ReadResult read();

  private:
    void statement();
    bool simple_statement(std::string_view word);
    bool deciding_statement(std::string_view word);
    bool setting_statement();
    void match_statement(std::vector<NftKey> keys);
    void expand_map(const std::vector<NftKey>& keys, const NftValues& values);
    void limit();
    void reject();
    void log();
    void touch_set();
    void give_up(std::string what);
    void skip_rest();
    void emit(Action action, std::string_view chain = {},
              cause::Cause sees = cause::Cause::connect_timeout);

    NftReader& reader_;
    const NftReader::Table& table_;
    Chain& chain_;
    NftLexer& lexer_;
    NftScope scope_;
    std::vector<Match> matches_;
    size_t first_rule_ = 0;
    bool has_verdict_ = false;
};

}  // namespace edgecase::allowlist
