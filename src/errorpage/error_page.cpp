#include "errorpage/error_page.hpp"

#include "errorpage/html.hpp"
#include "errorpage/structured.hpp"
#include "errorpage/subject.hpp"

namespace edgecase::errorpage {

Page render(const PageInput& input, MediaType type) {
    const Subject subject = subject_of(input);
    const uint16_t retry_after_s = subject.status.retry_after_s;
    switch (type) {
        case MediaType::html:
            break;
        case MediaType::problem_json:
            return {"application/problem+json", json_body(subject, input.time), retry_after_s};
        case MediaType::json:
            return {"application/json", json_body(subject, input.time), retry_after_s};
        case MediaType::markdown:
            return {"text/markdown; charset=utf-8", markdown_body(subject, input.time),
                    retry_after_s};
    }
    return {"text/html; charset=utf-8", html_body(subject, input.actor, input.time), retry_after_s};
}

}  // namespace edgecase::errorpage
