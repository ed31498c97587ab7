# Installs the plugin, and the shim that kubectl's own completion looks for.
class KubectlTracebloc < Formula
  desc "Push datasets from your machine to a tracebloc client release"
  homepage "https://github.com/tracebloc/kubectl-tracebloc"
  version "1.2.3"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "https://github.com/tracebloc/kubectl-tracebloc/releases/download/v1.2.3/kubectl-tracebloc_v1.2.3_darwin_arm64.tar.gz"
      sha256 "SHA256 of kubectl-tracebloc_v1.2.3_darwin_arm64.tar.gz"
    end
    on_intel do
      url "https://github.com/tracebloc/kubectl-tracebloc/releases/download/v1.2.3/kubectl-tracebloc_v1.2.3_darwin_amd64.tar.gz"
      sha256 "SHA256 of kubectl-tracebloc_v1.2.3_darwin_amd64.tar.gz"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/tracebloc/kubectl-tracebloc/releases/download/v1.2.3/kubectl-tracebloc_v1.2.3_linux_arm64.tar.gz"
      sha256 "SHA256 of kubectl-tracebloc_v1.2.3_linux_arm64.tar.gz"
    end
    on_intel do
      url "https://github.com/tracebloc/kubectl-tracebloc/releases/download/v1.2.3/kubectl-tracebloc_v1.2.3_linux_amd64.tar.gz"
      sha256 "SHA256 of kubectl-tracebloc_v1.2.3_linux_amd64.tar.gz"
    end
  end

  def install
    bin.install "kubectl-tracebloc", "kubectl_complete-tracebloc"
  end

  test do
    assert_match "v#{version}", shell_output("#{bin}/kubectl-tracebloc version --client")
  end
end
