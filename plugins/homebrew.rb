# Installs the plugin, and the shim that kubectl's own completion looks for.
class KubectlTracebloc < Formula
  desc "Push datasets from your machine to a tracebloc client release"
  homepage "https://github.com/tracebloc/kubectl-tracebloc"
  version "{{ .Version }}"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "{{ uri "darwin_arm64" }}"
      sha256 "{{ sha256 "darwin_arm64" }}"
    end
    on_intel do
      url "{{ uri "darwin_amd64" }}"
      sha256 "{{ sha256 "darwin_amd64" }}"
    end
  end

  on_linux do
    on_arm do
      url "{{ uri "linux_arm64" }}"
      sha256 "{{ sha256 "linux_arm64" }}"
    end
    on_intel do
      url "{{ uri "linux_amd64" }}"
      sha256 "{{ sha256 "linux_amd64" }}"
    end
  end

  def install
    bin.install "kubectl-tracebloc", "kubectl_complete-tracebloc"
  end

  test do
    assert_match "v#{version}", shell_output("#{bin}/kubectl-tracebloc version --client")
  end
end
