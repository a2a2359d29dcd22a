// The other side of the service: a command whose account may not read the keeper asks through its socket.
#pragma once

#include <functional>

#include "service/protocol.h"

namespace callvault::service {

// Who signs: the keys stay in this process.
struct Signer {
  const std::string& name;
  const crypto::Key& seed;
};

struct Answer {
  std::vector<Bytes> items;
  Bytes result;
  std::vector<os::File> files;
  crypto::SecretBuffer secrets;
};

template <typename T>
inline constexpr bool kIsVisitor = false;
template <typename T>
inline constexpr bool kIsVisitor<std::function<bool(const T&)>> = true;

class Client {
 public:
  // Greets. `vault` is the folder that must be served, by its owner or by root, as a service manager listens. Errors:
  // no_vault (another vault is served), refused, busy, newer_version.
  static Result<Client> meet(const os::Path& socket, const os::Path& vault);

  // As of the first greeting.
  const Hello& hello() const { return hello_; }

  // One request over a connection of its own. No signer: the account itself asks. Errors: the service's own, with
  // their messages; busy, io.
  Result<Answer> ask(std::string_view verb, const Signer* signer, Bytes arguments) const;

  // The same by values. A visitor among the arguments, std::function<bool(const Item&)>, is given the answer's items.
  template <typename R, typename... A>
  Result<R> call(std::string_view verb, const Signer* signer, const A&... arguments) const {
    Bytes encoded;
    (encode_argument(encoded, arguments), ...);
    CALLVAULT_TRY_ASSIGN(const Answer answer, ask(verb, signer, std::move(encoded)));
    Result<void> visited;
    (visit(answer.items, arguments, visited), ...);
    if (!visited) return visited.error();
    Decoder in(answer.result);
    if constexpr (std::is_void_v<R>) {
      return in.done() ? Result<void>() : malformed();
    } else {
      auto out = in.get<R>();
      if (!in.done()) return malformed();
      return out;
    }
  }

 private:
  explicit Client(os::Path socket, os::Path vault) : socket_(std::move(socket)), vault_(std::move(vault)) {}
  Result<os::LocalSocket> connect(Hello& hello) const;

  static Error malformed() { return fail(Errc::unexpected, "the keeper's service gave an answer of another form"); }

  template <typename A>
  static void encode_argument(Bytes& out, const A& argument) {
    if constexpr (!kIsVisitor<A>) encode(out, argument);
  }
  template <typename T>
  static void visit(const std::vector<Bytes>& items, const std::function<bool(const T&)>& visitor, Result<void>& said) {
    for (const auto& item : items) {
      Decoder in(item);
      const T value = in.get<T>();
      if (!in.done()) said = malformed();
      if (!said || !visitor(value)) return;
    }
  }
  template <typename A>
  static void visit(const std::vector<Bytes>&, const A&, Result<void>&) {}

  os::Path socket_, vault_;
  Hello hello_;
};

}  // namespace callvault::service
