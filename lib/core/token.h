// Token: which events an answer has to know. The reply to events carries one; a request that gives it back (`after=`) is never answered
// from an older profile without being told so (DESIGN sections 1 and 4).
//
// It lists the events of one request, for one customer; of more than kMaxTokenEvents the last ones, and the last of each topic among them: a
// partition is read in order, so whoever knows the last knows those before it, unless the last was sent before and is known from then.
// Not secret and not signed: a made-up one can only make its own request wait.
// Pure; any thread. Text: base64url of a version byte and the entries; 15 to 210 bytes each.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/event.h"
#include "core/profile.h"

namespace attune {

inline constexpr std::size_t kMaxTokenEvents = 8;
inline constexpr std::size_t kMaxTokenBytes = 2400;
inline constexpr std::size_t kMaxTokens = 8; // that one request may give

class Token {
 public:
  struct Entry {
    EventType type = EventType::view;
    Place place;
    CustomerId alias; // of an identify event
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // REQUIRES: complete; of the token's one customer.
  void add(const Event& event);
  // All of another: for a request that gives several, which is more than one text may hold.
  void add(const Token& other);

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  [[nodiscard]] std::string text() const; // empty for an empty one
  // ERRORS: "not a token". Total.
  [[nodiscard]] static Result<Token, Reject> parse(std::string_view text);

  friend bool operator==(const Token&, const Token&) = default;

 private:
  std::vector<Entry> entries_;
};

// Whether the profile neither holds this event nor has said that it never will (late, refused). An identify event is held when its alias was absorbed, by whichever claim; one whose alias belongs to somebody else is awaited in
// vain. `profile` may be null: nothing is held. Cost: under a microsecond an entry.
[[nodiscard]] bool awaited(const Token::Entry& entry, const Profile* profile);
// The first of the token's events that is; null when there is nothing to wait for.
[[nodiscard]] const Token::Entry* awaited(const Token& token, const Profile* profile);

} // namespace attune
