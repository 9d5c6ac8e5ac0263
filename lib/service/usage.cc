#include "service/usage.h"

#include <algorithm>

#include "service/config.h"
#include "service/mask.h"

namespace attune {

namespace {

constexpr std::size_t kHelpColumn = 28;
constexpr std::size_t kWidth = 100;

// `text` in lines of at most kWidth, from `column` on, the first one continued where the caller stands.
void append_wrapped(std::string& out, const std::string& text, std::size_t column)
{
  std::size_t at = column;
  for (std::size_t word = 0; word < text.size();) {
    const std::size_t end = std::min(text.find(' ', word), text.size());
    if (at > column && at + 1 + end - word > kWidth) {
      out += '\n' + std::string(column, ' ');
      at = column;
    } else if (at > column) {
      out += ' ';
      ++at;
    }
    out.append(text, word, end - word);
    at += end - word;
    word = end + 1;
  }
  out += '\n';
}

void append_row(std::string& out, const std::string& left, const std::string& right)
{
  out += left;
  if (left.size() + 2 > kHelpColumn)
    out += '\n' + std::string(kHelpColumn, ' ');
  else
    out += std::string(kHelpColumn - left.size(), ' ');
  append_wrapped(out, right, kHelpColumn);
}

std::string spelled(const Option& option)
{
  const auto comma = option.names().find(',');
  std::string text = comma != std::string::npos        ? "  " + option.names().substr(0, comma) + ", " + option.flag()
                     : option.flag().starts_with("--") ? "      " + option.flag()
                                                       : "  " + option.flag();
  return option.is_flag() ? text : text + ' ' + option.placeholder();
}

std::string joined(const std::vector<std::string>& words)
{
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// What the declaration says beside its help: the words it takes, the default.
std::string remarks(const Option& option)
{
  std::string text = option.help();
  if (!option.words().empty()) text += ": " + joined(option.words());
  if (option.is_required()) return text + " (required)";
  if (option.is_flag() || option.is_secret() || option.given()) return text;
  const auto standing = option.binding().show();
  if (!standing.empty() && !joined(standing).empty()) text += " (default: " + mask_secrets(joined(standing)) + ")";
  return text;
}

void append_options(std::string& out, const Command& command)
{
  for (const auto& option : command.options()) {
    append_row(out, spelled(option), remarks(option));
    if (option.is_secret()) append_row(out, "      " + option.flag() + "-file PATH", "the same, read from a file");
  }
}

std::string usage_line(const Tool& tool, const Command& command)
{
  std::string line = "Usage: " + tool.name();
  if (&command != &tool) line += ' ' + command.name();
  line += " [OPTION]...";
  if (&command == &tool && !tool.commands().empty()) line += " COMMAND ...";
  for (const auto& operand : command.operand_list()) {
    const std::string name = operand.placeholder + (operand.many ? "..." : "");
    line += operand.required ? ' ' + name : " [" + name + ']';
  }
  return line + '\n';
}

void append_operands(std::string& out, const Command& command)
{
  if (command.operand_list().empty()) return;
  out += '\n';
  for (const auto& operand : command.operand_list()) append_row(out, "  " + operand.placeholder, operand.help);
}

void append_commands(std::string& out, const Tool& tool)
{
  out += "\nCommands:\n";
  for (const auto& command : tool.commands()) append_row(out, "  " + command.name(), command.summary());
}

// A value as TOML: numbers and truths bare, so that a reader of the text sees what they are.
std::string toml_value(const Option& option, const std::vector<std::string>& texts)
{
  const auto one = [&](const std::string& text) {
    if (option.is_secret()) return toml_string("***");
    return option.binding().kind == Binding::Kind::text ? toml_string(mask_secrets(text)) : text;
  };
  if (!option.binding().repeatable) return one(texts.front());
  std::string list;
  for (const auto& text : texts) list += (list.empty() ? "" : ", ") + one(text);
  return '[' + list + ']';
}

} // namespace

std::string help_text(const Tool& tool)
{
  const Command& command = tool.chosen() ? *tool.chosen() : static_cast<const Command&>(tool);
  std::string out = tool.name() + (tool.chosen() ? ' ' + command.name() : "") + " - " + command.summary() + "\n\n";
  out += usage_line(tool, command);
  append_operands(out, command);
  if (!tool.chosen() && !tool.commands().empty()) append_commands(out, tool);
  out += "\nOptions:\n";
  if (tool.chosen()) append_options(out, command);
  append_options(out, tool);
  append_options(out, tool.common());
  out += "\nAn option is also an environment variable (ATTUNE_QUIET for --quiet) or a line of the file of --config.\n";
  if (!command.details().empty()) out += '\n' + command.details() + (command.details().ends_with('\n') ? "" : "\n");
  return out;
}

std::string config_text(const std::string& program, const std::vector<Option*>& options)
{
  std::string out = "# " + program + ": the configuration in effect\n";
  for (const Option* option : options) {
    const auto texts = option->binding().show();
    if ((texts.empty() && !option->binding().repeatable) || (option->is_secret() && !option->given()))
      out += "# " + option->key() + " is not set\n";
    else
      out += option->key() + " = " + toml_value(*option, texts) + "  # " + (option->given() ? option->origin() : "default") + '\n';
  }
  return out;
}

} // namespace attune
