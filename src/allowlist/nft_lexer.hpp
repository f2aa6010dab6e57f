// Owns the words and signs of nft's language, one at a time.
#pragma once

#include <cstdint>
#include <string_view>

namespace edgecase::allowlist {

enum class NftKind : uint8_t { end, newline, word, string, sign };

struct NftToken {
    NftKind kind = NftKind::end;
    std::string_view text;  // of a string without its quotes
    bool is(std::string_view expected) const {
        return text == expected && (kind == NftKind::word || kind == NftKind::sign);
    }
    /// A rule ends here.
    bool ends_rule() const {
        return kind == NftKind::end || kind == NftKind::newline || is(";") || is("}");
    }
};

class NftLexer {
  public:
    explicit NftLexer(std::string_view text, uint32_t line = 1) : text_(text), line_(line) {}

    const NftToken& peek();
    NftToken next();
    bool accept(std::string_view expected);  // takes it if it is there
    void skip_newlines();
    /// Everything up to the brace that belongs to an opening one just read.
    void skip_block();
    /// The rest of the line, braces and all; for the value of a definition.
    std::string_view rest_of_statement();

    uint32_t line() const { return line_; }
    /// Of the token that peek() shows, or next() gave last.
    std::string_view::size_type offset() const { return offset_; }
    /// The number of the last `# handle N` comment since this was asked. 0: none.
    uint64_t take_handle();

  private:
    void scan();
    void skip_comment();

    std::string_view text_;
    size_t at_ = 0;
    uint32_t line_;
    size_t offset_ = 0;
    uint64_t handle_ = 0;
    bool has_token_ = false;
    NftToken token_;
};

}  // namespace edgecase::allowlist
