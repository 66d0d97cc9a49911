from __future__ import annotations

import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class Order:
    number: int
    items: list[Item] = dataclasses.field(default_factory=list)

    def total(self, rate: float = 1.0) -> float:
        return rate * sum(item.price for item in self.items)


@dataclasses.dataclass
class Item:
    price: float


print(typing.get_type_hints(Order), typing.get_type_hints(Order.total), Order.total.__annotations__)
print(Order(1, [Item(2.5)]), Order(1, [Item(2.5)]).total(2), dataclasses.asdict(Order(2)))
