// A process for one piece of work, and accounts of the host.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>

#include "os/file.h"

namespace callvault::os {

// A forked child, and our end of a channel of whole messages to it: it reads as ended when the child is gone.
struct Child {
  int pid = 0;
  File channel;
};

// The child runs `work` with its end of the channel and ends; nothing of the parent's is undone there. REQUIRES: one
// thread, and no locked memory, which a child does not inherit.
Result<Child> fork_child(const std::function<void(File channel)>& work);
// For a child that has what it needs: everything else of the parent's is closed, standard streams aside.
void close_all_but(std::initializer_list<int> kept);
// Waits for a child whose channel has ended.
void reap(int pid);
void kill_child(int pid);

// One whole message. nullopt: none waits, or the other end is gone.
std::optional<std::string> read_message(int channel);
// False when it could not be sent whole.
bool write_message(int channel, std::string_view text);
// Waits for one; nullopt when the other end is gone.
std::optional<std::string> await_message(int channel);

std::uint32_t own_uid();
// The user id of an account by name, or by the number itself in digits. nullopt: no such account.
std::optional<std::uint32_t> uid_of(const std::string& account);

// The group whose members may write to a folder, if there is one.
Result<std::optional<std::uint32_t>> sharing_group(const Path& folder);

}  // namespace callvault::os
