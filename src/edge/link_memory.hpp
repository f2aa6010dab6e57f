// Owns the Link fields that pages had when they were last served, so that the next visitor is told
// of them before the origin answers (103 Early Hints, RFC 8297).
#pragma once

#include <chrono>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "http/message.hpp"

namespace edgecase::edge {

class LinkMemory {
  public:
    static constexpr size_t kMaximumPages = 1024;  // the one asked for longest ago goes first
    static constexpr size_t kMaximumBytes = 4096;  // of one page's links
    static constexpr std::chrono::hours kMaximumAge{1};

    /// Takes the links of a page that was served in full health and to everybody alike: HTML by GET
    /// with 200, asked for without a query or credentials, that is not `private` or `no-store`,
    /// sets no cookie and varies with nothing but its encoding; to a visitor with cookies it must
    /// say `public`. What a page has become since (no links, a redirect, gone) makes it forgotten.
    void learn(const http::RequestHeadView& request, const http::ResponseHeadView& response,
               base::SteadyTime now);

    /// The value of the Link field to hint with, whatever the query; empty: nothing is known, or
    /// the request is not a page's.
    std::string_view find(const http::RequestHeadView& request, base::SteadyTime now);

    size_t pages() const { return pages_.size(); }

  private:
    void forget(std::string_view key);

    struct Page {
        std::string key;  // host and path, without the query
        std::string links;
        base::SteadyTime learned;
    };
    std::list<Page> pages_;  // the latest first
    std::unordered_map<std::string_view, std::list<Page>::iterator> by_key_;
};

/// Of a Link field's value those links that a browser can use before it has the page: `preload`,
/// `modulepreload` and `preconnect`, separated by commas.
/// Source: RFC 8288 3; Cloudflare, Early Hints.
std::string hintable_links(std::string_view value);

}  // namespace edgecase::edge
