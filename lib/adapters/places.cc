#include "adapters/places.h"

#include <algorithm>

#include "adapters/file_log.h"
#include "adapters/kafka_log.h"
#include "adapters/memory_store.h"
#include "adapters/redis_changes.h"
#include "adapters/redis_store.h"
#include "adapters/rocksdb_store.h"

namespace attune {
namespace {

// URLs are not put into these messages as a whole: some carry a password.
Error unknown_scheme(const PlaceUrl& url, std::string_view what)
{
  return {Code::usage, url.scheme + ": not a scheme of " + std::string(what)};
}

int hex_digit(char c)
{
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

Result<std::string> percent_decoded(std::string_view text)
{
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0 || (high == 0 && low == 0)) {
      return Error{Code::usage, "path '" + std::string(text) + "': '%' begins no byte"};
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// The directory of an embedded log or store.
Result<std::string> directory_of(const PlaceUrl& url)
{
  if (!url.authority.empty()) {
    return Error{Code::usage, url.scheme + "://" + url.authority + url.path +
                                  ": a directory stands behind three slashes: " + url.scheme + ":///" + url.authority + url.path};
  }
  if (url.path.empty() || !url.query.empty()) {
    return Error{Code::usage, url.scheme + ":" + url.path + ": want " + url.scheme + ":///directory"};
  }
  return url.path;
}

Result<FileLogOptions> file_options(const PlaceUrl& url, const LogOptions& options)
{
  auto dir = directory_of(url);
  if (!dir.ok()) {
    return dir.error();
  }
  if (!options.settings.empty()) {
    return Error{Code::usage, "-X " + options.settings.front().first + ": an embedded log has no such settings"};
  }
  FileLogOptions out;
  out.dir = std::move(*dir);
  return out;
}

Result<KafkaOptions> kafka_options(const PlaceUrl& url, const LogOptions& options)
{
  if (url.authority.empty() || (!url.path.empty() && url.path != "/") || !url.query.empty()) {
    return Error{Code::usage, "kafka://" + url.authority + url.path + ": want kafka://host:9092[,host…]"};
  }
  KafkaOptions out;
  out.brokers = url.authority;
  out.properties = options.settings;
  out.limit = options.limit;
  if (options.haste == Haste::at_once) out.linger = Milliseconds(0);
  out.gathers = options.haste == Haste::relaxed;
  return out;
}

// Opens with the factory of the URL's scheme.
template <class Port, class OpenFile, class OpenKafka>
Result<std::unique_ptr<Port>> open_log(std::string_view text, const LogOptions& options, OpenFile open_file, OpenKafka open_kafka)
{
  const auto url = parse_place_url(text);
  if (!url.ok()) {
    return url.error();
  }
  if (url->scheme == "file") {
    const auto file = file_options(*url, options);
    return file.ok() ? open_file(*file) : file.error();
  }
  if (url->scheme == "kafka") {
    const auto kafka = kafka_options(*url, options);
    return kafka.ok() ? open_kafka(*kafka) : kafka.error();
  }
  return unknown_scheme(*url, "a log: kafka:// or file://");
}

bool is_redis(const PlaceUrl& url)
{
  return url.scheme == "redis" || url.scheme == "redis+unix";
}

Error unknown_store(const PlaceUrl& url)
{
  return unknown_scheme(url, "a store: redis://, redis+unix://, rocksdb:// or memory:");
}

} // namespace

Result<PlaceUrl> parse_place_url(std::string_view url)
{
  const std::size_t colon = url.find(':');
  if (colon == std::string_view::npos || colon == 0 || url.substr(0, colon).find_first_of("/?@") != std::string_view::npos) {
    return Error{Code::usage, std::string(url.substr(0, url.find('@'))).append(": not a URL")};
  }
  PlaceUrl out;
  out.scheme = url.substr(0, colon);
  std::string_view rest = url.substr(colon + 1);
  if (const std::size_t query = rest.find('?'); query != std::string_view::npos) {
    out.query = rest.substr(query + 1);
    rest = rest.substr(0, query);
  }
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    out.authority = rest.substr(0, slash);
    rest.remove_prefix(slash);
  }
  auto path = percent_decoded(rest);
  if (!path.ok()) {
    return path.error();
  }
  out.path = std::move(*path);
  return out;
}

Result<std::unique_ptr<LogWriter>> open_log_writer(std::string_view url, const LogOptions& options)
{
  return open_log<LogWriter>(url, options, open_file_log_writer, open_kafka_log_writer);
}

Result<std::unique_ptr<LogReader>> open_log_reader(std::string_view url, const LogOptions& options)
{
  return open_log<LogReader>(url, options, open_file_log_reader, open_kafka_log_reader);
}

Result<std::unique_ptr<LogGroup>> open_log_group(std::string_view url, std::string_view group, const LogOptions& options)
{
  return open_log<LogGroup>(
      url, options, [&](const FileLogOptions& file) { return open_file_log_group(file, group); },
      [&](const KafkaOptions& kafka) { return open_kafka_log_group(kafka, group); });
}

Result<std::unique_ptr<LogAdmin>> open_log_admin(std::string_view url, const LogOptions& options)
{
  return open_log<LogAdmin>(url, options, open_file_log_admin, open_kafka_log_admin);
}

LogOptions options_beside(std::string_view url, LogOptions options)
{
  if (!url.starts_with("kafka:")) options.settings.clear();
  return options;
}

bool is_log_url(std::string_view place)
{
  return place.starts_with("kafka://") || place.starts_with("file:");
}

Result<std::unique_ptr<ProfileStore>> open_store(std::string_view text, const StoreOptions& options)
{
  const auto url = parse_place_url(text);
  if (!url.ok()) {
    return url.error();
  }
  if (url->scheme == "memory") {
    return open_memory_store(url->path, options);
  }
  if (url->scheme == "rocksdb") {
    const auto directory = directory_of(*url);
    return directory.ok() ? open_rocksdb_store(*directory, options) : directory.error();
  }
  if (is_redis(*url)) {
    return open_redis_store(text, options);
  }
  return unknown_store(*url);
}

Result<std::unique_ptr<ChangeFeed>> open_change_feed(std::string_view text, const StoreOptions& options, ChangeMode mode)
{
  const auto url = parse_place_url(text);
  if (!url.ok()) {
    return url.error();
  }
  if (url->scheme == "memory" || url->scheme == "rocksdb") {
    return std::unique_ptr<ChangeFeed>();
  }
  return is_redis(*url) ? open_redis_changes(text, options, mode) : unknown_store(*url);
}

} // namespace attune
