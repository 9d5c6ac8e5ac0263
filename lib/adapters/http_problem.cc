#include "adapters/http_problem.h"

#include "adapters/http_query.h"
#include "core/canonical_json.h"

namespace attune {

std::string_view http_reason(unsigned status)
{
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

HttpAnswer problem_answer(const HttpProblem& problem, std::string_view request_id)
{
  HttpAnswer answer;
  answer.status = problem.status;
  answer.content_type = "application/problem+json";
  auto& body = answer.body;
  const auto member = [&body](std::string_view name, std::string_view text) {
    body += ",\"";
    body += name;
    body += "\":";
    append_json_string(text, body);
  };
  body = "{\"type\":\"about:blank\"";
  member("title", http_reason(problem.status));
  body += ",\"status\":" + std::to_string(problem.status);
  if (!problem.detail.empty()) member("detail", problem.detail);
  if (!problem.field.empty()) member("field", problem.field);
  if (!request_id.empty()) member("request_id", request_id);
  body += "}\n";
  answer.headers = problem.headers;
  if (problem.retry_after_s > 0) answer.headers.emplace_back("Retry-After", std::to_string(problem.retry_after_s));
  return answer;
}

} // namespace attune
