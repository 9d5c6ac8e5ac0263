#include "adapters/site_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "adapters/header_words.h"
#include "adapters/http_query.h"
#include "core/event.h"

namespace attune {

namespace {

namespace fs = std::filesystem;

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".ndjson", "application/x-ndjson"},
    {".map", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},
    {".webp", "image/webp"},
    {".avif", "image/avif"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".woff", "font/woff"},
    {".txt", "text/plain; charset=utf-8"},
    {".xml", "application/xml"},
    {".pdf", "application/pdf"},
    {".webmanifest", "application/manifest+json"},
    {".wasm", "application/wasm"},
};

bool hidden(const fs::path& path)
{
  return std::any_of(path.begin(), path.end(), [](const fs::path& part) { return part.native().starts_with('.'); });
}

bool leads_out(const fs::path& path, const fs::path& root)
{
  std::error_code failed;
  const auto target = fs::canonical(path, failed);
  return failed || std::mismatch(root.begin(), root.end(), target.begin(), target.end()).first != root.end();
}

// Whether any of the tags in If-None-Match is this one, compared weakly (RFC 9110 section 13.1.2).
bool names(std::string_view if_none_match, std::string_view etag)
{
  if (trimmed(if_none_match) == "*") return true;
  const auto opaque = etag.substr(etag.find('"'));
  return if_none_match.find(opaque) != std::string_view::npos;
}

} // namespace

std::string_view content_type_of(std::string_view name)
{
  const auto dot = name.rfind('.');
  if (dot != std::string_view::npos)
    for (const auto& [ending, type] : kTypes)
      if (same_word(name.substr(dot), ending)) return type;
  return "application/octet-stream";
}

SiteFile site_file(std::string_view name, std::string body)
{
  auto etag = "W/\"" + hashed_id(body).text + '"';
  return {std::string(content_type_of(name)), std::move(etag), std::move(body)};
}

Result<SiteFiles> SiteFiles::read(const std::string& directory)
{
  std::error_code failed;
  const auto fault = [&](const fs::path& path) { return Error{Code::io, path.native() + ": " + failed.message()}; };
  const auto root = fs::canonical(directory, failed);
  if (failed) return fault(directory);
  fs::recursive_directory_iterator each(root, failed);
  if (failed) return fault(directory);
  SiteFiles site;
  std::size_t bytes = 0;
  for (; each != fs::recursive_directory_iterator(); each.increment(failed)) {
    if (failed) return fault(directory);
    const auto& path = each->path();
    const auto relative = path.lexically_relative(root);
    std::error_code gone; // a link to nothing is no file
    if (hidden(relative)) {
      if (each->is_directory(gone)) each.disable_recursion_pending();
      continue;
    }
    if (!each->is_regular_file(gone) || (each->is_symlink(gone) && leads_out(path, root))) continue;
    bytes += each->file_size(gone);
    if (site.files_.size() == kMostFiles || bytes > kMostBytes)
      return Error{Code::config, directory + ": over " + std::to_string(kMostFiles) + " files or " +
                                     std::to_string(kMostBytes >> 20) + " MiB; a web server in front serves those"};
    std::ifstream in(path, std::ios::binary);
    std::string body{std::istreambuf_iterator<char>(in), {}};
    if (!in) return Error{Code::io, path.native() + ": can not be read"};
    site.files_.emplace("/" + relative.generic_string(), site_file(relative.native(), std::move(body)));
  }
  if (failed) return fault(directory);
  return site;
}

const SiteFile* SiteFiles::named(const std::string& path) const
{
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

const SiteFile* SiteFiles::find(std::string_view path) const
{
  auto name = percent_decoded(path, false);
  if (!name || name->empty()) return nullptr;
  if (name->back() == '/') return named(*name + "index.html");
  if (const auto* file = named(*name)) return file;
  return named(*name + ".html");
}

bool SiteFiles::wants_slash(std::string_view path) const
{
  const auto name = percent_decoded(path, false);
  return name && !name->empty() && name->back() != '/' && named(*name + "/index.html") != nullptr;
}

HttpAnswer site_answer(const SiteFile& file, std::string_view if_none_match)
{
  HttpAnswer answer;
  answer.headers = {{"ETag", file.etag}, {"Cache-Control", "no-cache"}, {"X-Content-Type-Options", "nosniff"}};
  answer.content_type = file.content_type;
  if (!if_none_match.empty() && names(if_none_match, file.etag)) {
    answer.status = 304;
    answer.content_type.clear();
  } else {
    answer.body = file.body;
  }
  return answer;
}

Result<std::pair<std::string, std::string>> parse_site_header(std::string_view text)
{
  const Error wrong{Code::usage, "not 'Name: value': " + std::string(text)};
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return wrong;
  const auto name = text.substr(0, colon);
  const auto value = trimmed(text.substr(colon + 1));
  const auto of_a_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  const auto of_a_value = [](char c) { return c >= ' ' && c <= '~'; };
  if (value.empty() || !std::all_of(name.begin(), name.end(), of_a_name) || !std::all_of(value.begin(), value.end(), of_a_value))
    return wrong;
  for (const std::string_view ours : {"Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection",
                                      "Date", "ETag", "Cache-Control", "Vary", "Server-Timing", "X-Request-Id"})
    if (same_word(name, ours)) return Error{Code::usage, std::string(name) + ": the server's own"};
  return std::pair(std::string(name), std::string(value));
}

} // namespace attune
