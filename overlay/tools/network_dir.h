// Where the keeper of networks has them, normally /etc/ipop/networks:
//
//   NETWORK/ca.key          private key of the network, mode 0600
//   NETWORK/ca.crt          its certificate
//   NETWORK/settings        the latest settings that were signed, if any
//   NETWORK/hosts/HOST.crt  the certificate of the latest invite of each host
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "overlay/base/result.h"
#include "overlay/crypto/authority.h"
#include "overlay/crypto/certificate.h"
#include "overlay/wire/settings.h"

namespace ipop {

class NetworkDir {
 public:
  explicit NetworkDir(std::filesystem::path root) : root_(std::move(root)) {}

  /// Stores a new network, whole or not at all.
  Result<Done, Problem> create(const Authority& authority) const;
  Result<Authority, Problem> load(const std::string& network) const;
  Result<Certificate, Problem> load_certificate(const std::string& network) const;

  /// Nothing if none were signed yet.
  Result<std::optional<wire::SignedSettings>, Problem> load_settings(const std::string& network) const;
  Result<Done, Problem> store_settings(const std::string& network, const std::string& file) const;

  /// By name.  Networks that are there but cannot be read are in the list too.
  Result<std::vector<std::string>, Problem> networks() const;
  Result<std::vector<std::string>, Problem> hosts(const std::string& network) const;

  bool has_host(const std::string& network, const std::string& host) const;
  Result<Certificate, Problem> load_host(const std::string& network, const std::string& host) const;
  Result<Done, Problem> add_host(const std::string& network, const Certificate& certificate) const;
  Result<Done, Problem> replace_host(const std::string& network, const Certificate& certificate) const;
  void remove_host(const std::string& network, const std::string& host) const;

 private:
  std::filesystem::path host_file(const std::string& network, const std::string& host) const;
  Problem no_such_network(const std::string& network) const;

  std::filesystem::path root_;
};

}  // namespace ipop
