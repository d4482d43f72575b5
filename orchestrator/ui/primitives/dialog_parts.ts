// Radix's dialog for whatever stands inside an open one: the panel, which is fetched late, hands it down.
import type * as Radix from "@radix-ui/react-dialog";
import { createContext } from "react";

export const DialogParts = createContext<typeof Radix | null>(null);
