// An item of a menu that copies a text.
import { Copy } from "lucide-react";
import { MenuItem } from "../primitives/dropdown_menu";
import { toClipboard } from "../primitives/values";

type Props = { label: string; text: string; onCopy?: () => void };

export function CopyItem({ label, text, onCopy }: Props) {
  const copy = () => {
    void toClipboard(text).then(() => onCopy?.());
  };
  return (
    <MenuItem onClick={copy}>
      <Copy aria-hidden />
      {label}
    </MenuItem>
  );
}
