#include "service_live.h"

#include "core/canonical_json.h"
#include "core/model_view.h"

namespace attune {

std::string LiveView::text()
{
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (!text_.empty() && now - made_ < std::chrono::seconds(1)) return text_;
  made_ = now;
  text_ = "{";
  if (knowledge_) {
    text_ += "\"model\":";
    const auto reading = knowledge_->read();
    append_model_view(reading.model(), reading.catalog(), text_);
    text_ += ',';
  }
  text_ += "\"refused\":{";
  for (const auto& [reason, count] : reasons_.counts()) {
    if (text_.back() != '{') text_ += ',';
    append_json_string(reason, text_);
    text_ += ':' + std::to_string(count);
  }
  text_ += "}}\n";
  return text_;
}

} // namespace attune
