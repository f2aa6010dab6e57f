#include "allowlist/nft_lexer.hpp"

#include <charconv>

namespace edgecase::allowlist {
namespace {

constexpr std::string_view kSigns = "{};,()=!<>&|^";

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

bool ends_word(char c) {
    return is_blank(c) || c == '\n' || c == '"' || c == '#' || kSigns.contains(c);
}

}  // namespace

const NftToken& NftLexer::peek() {
    if (!has_token_) {
        scan();
        has_token_ = true;
    }
    return token_;
}

NftToken NftLexer::next() {
    const NftToken token = peek();
    has_token_ = false;
    if (token.kind == NftKind::newline) ++line_;
    return token;
}

bool NftLexer::accept(std::string_view expected) {
    if (!peek().is(expected)) return false;
    next();
    return true;
}

void NftLexer::skip_newlines() {
    while (peek().kind == NftKind::newline) next();
}

void NftLexer::skip_block() {
    for (size_t depth = 1; depth > 0;) {
        const NftToken token = next();
        if (token.kind == NftKind::end) return;
        if (token.is("{")) ++depth;
        if (token.is("}")) --depth;
    }
}

std::string_view NftLexer::rest_of_statement() {
    peek();
    const size_t begin = offset_;
    size_t depth = 0;
    while (true) {
        const NftToken& token = peek();
        if (token.kind == NftKind::end) break;
        if (depth == 0 && (token.kind == NftKind::newline || token.is(";"))) break;
        if (token.is("{")) ++depth;
        if (token.is("}") && depth > 0) --depth;
        next();
    }
    return text_.substr(begin, offset_ - begin);
}

uint64_t NftLexer::take_handle() {
    const uint64_t handle = handle_;
    handle_ = 0;
    return handle;
}

void NftLexer::skip_comment() {
    size_t end = text_.find('\n', at_);
    if (end == std::string_view::npos) end = text_.size();
    std::string_view comment = text_.substr(at_ + 1, end - at_ - 1);
    constexpr std::string_view kHandle = " handle ";
    if (comment.starts_with(kHandle)) {
        comment.remove_prefix(kHandle.size());
        std::from_chars(comment.data(), comment.data() + comment.size(), handle_);
    }
    at_ = end;
}

void NftLexer::scan() {
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (c == '#') {
            skip_comment();
        } else if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') {
            at_ += 2;
            ++line_;
        } else if (is_blank(c)) {
            ++at_;
        } else {
            break;
        }
    }
    offset_ = at_;
    if (at_ >= text_.size()) {
        token_ = {};
        return;
    }
    const char c = text_[at_];
    if (c == '\n') {
        token_ = {NftKind::newline, text_.substr(at_++, 1)};
    } else if (c == '"') {
        size_t end = text_.find_first_of("\"\n", at_ + 1);
        if (end == std::string_view::npos) end = text_.size();
        token_ = {NftKind::string, text_.substr(at_ + 1, end - at_ - 1)};
        at_ = end < text_.size() && text_[end] == '"' ? end + 1 : end;
    } else if (kSigns.contains(c)) {
        const bool is_double = at_ + 1 < text_.size() && text_[at_ + 1] == '=' &&
                               (c == '=' || c == '!' || c == '<' || c == '>');
        token_ = {NftKind::sign, text_.substr(at_, is_double ? 2 : 1)};
        at_ += is_double ? 2 : 1;
    } else {
        size_t end = at_ + 1;
        while (end < text_.size() && !ends_word(text_[end])) ++end;
        token_ = {NftKind::word, text_.substr(at_, end - at_)};
        at_ = end;
    }
}

}  // namespace edgecase::allowlist
