// SiteFiles: a directory of a site's files as answers of HTTP, for `--www DIR`. Read whole, into memory: what is asked for is found in a table of
// names and never looked up on the disk, so that no path leads out, and no request waits for a disk.
//
// Served is every regular file whose path has no part that begins with a dot; a link counts as the file it leads to when that is of the directory
// too. "/" and "/dir/" are their index.html, "/dir" leads to "/dir/", "/page" is page.html where there is no file "page".
//
// Thread rule: find() from any thread; immutable once read.
// Specifications: RFC 9110 (ETag and If-None-Match; weak ones, for bodies may go out compressed).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapters/http_server.h"
#include "base/result.h"

namespace attune {

struct SiteFile {
  std::string content_type;
  std::string etag; // with its quotes
  std::string body;
};

class SiteFiles {
 public:
  static constexpr std::size_t kMostFiles = 10'000;
  static constexpr std::size_t kMostBytes = 64u << 20;

  // ERRORS: io: the directory or a file of it can not be read (named); config: too many files, or bytes.
  static Result<SiteFiles> read(const std::string& directory);

  // `path` as it came, percent-encoded. Null: there is none.
  [[nodiscard]] const SiteFile* find(std::string_view path) const;
  // Whether the path is a directory that has an index.html, without the slash that its relative links need.
  [[nodiscard]] bool wants_slash(std::string_view path) const;

 private:
  [[nodiscard]] const SiteFile* named(const std::string& path) const;
  std::unordered_map<std::string, SiteFile> files_; // "/pictures/lamp.svg"
};

// By the name's ending; "application/octet-stream" for one it does not know.
[[nodiscard]] std::string_view content_type_of(std::string_view name);
[[nodiscard]] SiteFile site_file(std::string_view name, std::string body);
// 200 with the file, or 304 where the client's If-None-Match names what stands. A page asks again each time it is shown (`no-cache`).
[[nodiscard]] HttpAnswer site_answer(const SiteFile& file, std::string_view if_none_match);

// "Content-Security-Policy: default-src 'self'". ERRORS: usage: no such header, or one that the server writes itself.
[[nodiscard]] Result<std::pair<std::string, std::string>> parse_site_header(std::string_view text);

} // namespace attune
