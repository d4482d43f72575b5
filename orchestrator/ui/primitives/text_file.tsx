// A button that reads a text file in the browser and hands its text on; nothing is uploaded as a file.
import { FileText } from "lucide-react";
import { useRef, type ReactNode } from "react";
import { Button } from "./button";

type Props = {
  accept?: string;
  maxBytes?: number;
  label?: string;
  id?: string;
  children?: ReactNode;
  onText?: (text: string, name: string) => void;
};

export function TextFileButton({ accept, maxBytes = 65536, label, id, children, onText }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const read = async (file: File | undefined) => {
    if (!file) return;
    // One byte more than allowed is enough for the server to refuse it with a sentence.
    const text = await file.slice(0, maxBytes + 1).text();
    onText?.(text.replaceAll("\0", "\ufffd"), file.name);
  };
  return (
    <>
      <Button size="sm" onClick={() => input.current?.click()}>
        <FileText />
        {children}
      </Button>
      <input
        ref={input}
        id={id}
        type="file"
        accept={accept}
        aria-label={label}
        tabIndex={-1}
        className="hidden"
        onChange={(event) => {
          void read(event.target.files?.[0]);
          event.target.value = ""; // the same file may be chosen again after it was corrected
        }}
      />
    </>
  );
}
