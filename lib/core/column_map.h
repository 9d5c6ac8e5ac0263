// ColumnMap: how the columns of a CSV file become the fields of events. A TOML file; examples/maps/ has four, and
// attune-produce(1) the reference. The language:
//
//   separator  = ","                        the byte between fields
//   id         = ["session", "hit"]         the event's id is a hash over these columns; without it, over the whole event
//   properties = ["country"]                columns carried along as properties, as strings
//   [fields]                                one line for a field of an event (DESIGN section 3):
//   item     = "name"                       the column; an empty cell means that the field is absent
//   customer = { column = ["user", "invoice"] }                 the first that is not empty
//   order    = { join = ["session", "hit"], with = "/" }        all of them, with this between
//   currency = { constant = "USD" }
//   type     = { column = "event", values = { addtocart = "cart_add" } }   any other text is refused
//   time     = { column = "ts", format = "s" }                  "s": seconds, decimals allowed; or a pattern, in UTC, of
//                                                               %Y %y %m %b %B %d %e %j %H %I %p %M %S %F %T %R %z %%;
//                                                               without format: RFC 3339 or integer milliseconds
//   further keys: absent = ["(not set)"]    texts that mean nothing     drop_suffix = ".0"   taken off where it is there
//                 negate = true             the number's sign turned
//   [[rule]]                                in order; each that holds puts its fields in place of those before it
//   if   = { column = "invoice", prefix = "C" }   also: is = "x", is = ["x", "y"], empty = true; several in an array must all hold
//   type = { constant = "refund" }
//   skip = true                             (in place of fields) such a record is no event, and no error
//
// Pure and immutable once parsed; may be shared between threads.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace attune {

class ColumnMap {
 public:
  // `name` is put into error messages ("ga360.toml:12: field `colour`: not a field of an event").
  static Result<std::shared_ptr<const ColumnMap>> parse(std::string_view toml, std::string_view name);

  [[nodiscard]] char separator() const;

  struct Rules; // core/column_rules.h
  explicit ColumnMap(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}
  [[nodiscard]] const Rules& rules() const { return *rules_; }

 private:
  std::shared_ptr<const Rules> rules_;
};

} // namespace attune
