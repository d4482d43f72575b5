// A way back: a link that is left for a detour stores where it stood, and a bar on other pages leads back there.
import { ArrowLeft, X } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { Link } from "react-router";

const KEY = "loreel:return";

function read() {
  try {
    return window.sessionStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // storage is switched off
  }
}

function write(address: string) {
  try {
    if (address) window.sessionStorage.setItem(KEY, address);
    else window.sessionStorage.removeItem(KEY);
  } catch {
    // storage is switched off: there is no way back but the browser's own
  }
}

/** A link to a detour; while it is on the page, no other page leads back here. */
export function DetourLink({ href, className, children }: { href: string; className?: string; children?: ReactNode }) {
  useEffect(() => write(""), []);
  return (
    <Link to={href} className={className} onClick={() => write(window.location.pathname + window.location.search)}>
      {children}
    </Link>
  );
}

/** "Back to ...", on the pages of a detour. */
export function ReturnBar({ label }: { label: string }) {
  const [address, setAddress] = useState("");
  useEffect(() => setAddress(read()), []);
  if (!address) return null;
  const drop = () => {
    write("");
    setAddress("");
  };
  return (
    <div className="flex items-center justify-between gap-3 rounded-xl border border-border bg-card py-2 pr-2 pl-4 text-sm print:hidden">
      <Link to={address} className="inline-flex min-h-6 items-center gap-2 rounded-sm font-medium link-muted tap">
        <ArrowLeft aria-hidden className="size-4 shrink-0" />
        {label}
      </Link>
      <button
        type="button"
        aria-label="Dismiss"
        onClick={drop}
        className="flex size-8 items-center justify-center rounded-md text-muted-foreground focus-ring hover:bg-muted hover:text-foreground tap"
      >
        <X aria-hidden className="size-4" />
      </button>
    </div>
  );
}
