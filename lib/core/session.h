// Session: a run of one customer's events with no gap above the idle limit, or the events of one site-given session id.
// Pure functions of (profile, now).
//
// Rule: walking `recent` (all lists, in order of place), an event begins a new session when its site session id differs from the
// one before it (both given), or, where either has none, when the gap is over the idle limit. A gap of exactly the limit does not.
#pragma once

#include <vector>

#include "core/profile.h"

namespace attune {

inline constexpr Milliseconds kSessionIdle = std::chrono::minutes(30);

struct Session {
  SessionId id; // the first the site gave in it, or "<customer>@<start ms>"
  Timestamp start;
  Timestamp end; // of the last event
  std::vector<ItemId> items; // viewed, clicked, put in the cart or bought; oldest first; a repeat of the item before it is dropped
};

// The newest session, as of `now` (events after it are left out). Nothing when there are no such events.
[[nodiscard]] std::optional<Session> current_session(const Profile& profile, Timestamp now, Milliseconds idle = kSessionIdle);

// Every session in `recent`, oldest first.
[[nodiscard]] std::vector<Session> sessions(const Profile& profile, Milliseconds idle = kSessionIdle);

} // namespace attune
