#include "core/question.h"

#include <algorithm>

#include "core/session.h"

namespace attune {

void Purchases::add(ItemNumber item, std::int64_t time)
{
  if (later_ - time > kSessionIdle.count()) ++order_;
  later_ = time;
  const auto known =
      std::find_if(bought_.begin(), bought_.end(), [item](const Question::Bought& each) { return each.item == item; });
  if (known == bought_.end()) {
    if (bought_.size() == kMaxBought) return;
    bought_.push_back({item, 1, order_ > 0 ? order_ - 1 : 0, time, time});
    oldest_.push_back(order_);
    return;
  }
  auto& oldest = oldest_[static_cast<std::size_t>(known - bought_.begin())];
  if (oldest != order_) ++known->times;
  oldest = order_;
  known->first = time;
}

} // namespace attune
